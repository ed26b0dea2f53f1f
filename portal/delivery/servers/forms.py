"""What the pages of servers take from people. Secrets come in and are never shown again."""

from dataclasses import fields, replace

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from portal.delivery.addresses import Address, Transport, parse_address
from portal.delivery.endpoint_checks import MOST_CONNECTIONS
from portal.delivery.endpoints import NAME_LENGTH, Options
from portal.delivery.models import Endpoint
from portal.errors import InvalidError

KILOBYTE = 1000
LONGEST_SECRET, LONGEST_CERTIFICATE = 20_000, 200_000
SAFEST_FIRST = (Transport.SFTP, Transport.FTPES, Transport.FTPS, Transport.FTP)


class ServerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A server to be recorded or changed."""

    name = StringField(
        "Name", validators=[DataRequired("Give the endpoint a name."), Length(max=NAME_LENGTH)]
    )
    transport = SelectField(
        "Protocol", choices=[SelectChoice(str(one), one.label) for one in SAFEST_FIRST]
    )
    host = StringField("Host", validators=[DataRequired("Name the host."), Length(max=255)])
    port = IntegerField(
        "Port",
        validators=[Optional(), NumberRange(1, 65535, "Ports are 1 to 65535.")],
        description="Empty: the usual one of the protocol.",
    )
    user = StringField("User", validators=[Length(max=255)])
    password = PasswordField("Password", validators=[Length(max=LONGEST_SECRET)])
    key = TextAreaField(
        "Private key",
        validators=[Length(max=LONGEST_SECRET)],
        description="For SFTP, instead of a password: the whole file, without a passphrase.",
    )
    folder = StringField(
        "Folder",
        validators=[Length(max=1024)],
        default="/",
        description="On the server; all files go there and come from there.",
    )
    encoding = StringField(
        "Encoding of names",
        validators=[Length(max=32)],
        default="utf-8",
        description="How the server writes names of files; older ones use latin-1.",
    )
    tls_verify = BooleanField(
        "Check the certificate of the server (FTPS)",
        default=True,
        description="Without it anybody on the way can pass for the server.",
    )
    tls_ca = TextAreaField(
        "Certificates to trust besides the system's (FTPS)",
        validators=[Length(max=LONGEST_CERTIFICATE)],
        description="In PEM form, for servers whose certificate no public authority signed.",
    )

    active = BooleanField(
        "Active mode (FTP, FTPS)",
        description="The server makes the connections for data; only for those that know no "
        "passive mode.",
    )
    connections = IntegerField(
        "Connections at once",
        default=1,
        validators=[
            InputRequired("Give a number."),
            NumberRange(1, MOST_CONNECTIONS, f"Give a number from 1 to {MOST_CONNECTIONS}."),
        ],
        description="Ask the server's operator how many are welcome.",
    )
    limit = IntegerField(
        "Limit in kB a second",
        validators=[Optional(), NumberRange(2, 100_000_000, "Give 2 kB a second or more.")],
        description="For all connections of a run together; empty: as fast as the line is.",
    )

    @property
    def url(self) -> str:
        """The address as services take it, without a secret; raises InvalidError."""
        transport = Transport(self.transport.data)
        host = self.host.data.strip().strip("[]").lower()
        address = Address(
            transport=transport,
            host=host,
            port=self.port.data or transport.port,
            user=(self.user.data or "").strip(),
            folder="/" + (self.folder.data or "").strip().strip("/"),
        )
        if parse_address(address.url) != address:
            raise InvalidError(f"{host!r} is no host; write it like ftp.example.org.")
        return address.url

    @property
    def secret(self) -> str:
        """The password or private key that was given; empty where none was."""
        key = (self.key.data or "").strip()
        return f"{key}\n" if key else self.password.data or ""

    def options(self, before: Options) -> Options:
        """What is said besides the address. What is not asked stays."""
        return replace(
            before,
            encoding=self.encoding.data or "",
            tls_verify=self.tls_verify.data,
            tls_ca=self.tls_ca.data or "",
            active=self.active.data,
            connections=self.connections.data,
            rate_limit=self.limit.data * KILOBYTE if self.limit.data else None,
        )

    def show(self, endpoint: Endpoint) -> None:
        """Fill in how a server stands; its secret is in no field."""
        self.name.data, self.transport.data = endpoint.name, endpoint.transport
        self.host.data, self.port.data = endpoint.host, endpoint.port
        self.user.data, self.folder.data = endpoint.user_name, endpoint.folder
        self.encoding.data, self.active.data = endpoint.encoding, endpoint.active
        self.connections.data = endpoint.connections
        self.limit.data = endpoint.rate_limit // KILOBYTE if endpoint.rate_limit else None
        self.tls_verify.data, self.tls_ca.data = endpoint.tls_verify, endpoint.tls_ca


def options_of(endpoint: Endpoint) -> Options:
    """What was said of an endpoint besides its address."""
    names = [field.name for field in fields(Options)]
    return Options(**{name: getattr(endpoint, name) for name in names})
