"""Addresses of endpoints, as URLs. Pure.

`ftp://` is FTP without encryption, `ftpes://` FTP that turns to TLS (explicit), `ftps://` FTP in
TLS from the start (implicit), `sftp://` SFTP.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from portal.errors import InvalidError


class Transport(StrEnum):
    """How a server is spoken to; the scheme of its URL."""

    FTP = "ftp"
    FTPES = "ftpes"
    FTPS = "ftps"
    SFTP = "sftp"

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read names, passwords and files."""
        return self is not Transport.FTP

    @property
    def port(self) -> int:
        """Where such servers listen, unless an address says otherwise."""
        return _PORTS[self]

    @property
    def label(self) -> str:
        """How people call it."""
        return _LABELS[self]


_LABELS = {
    Transport.FTP: "FTP, unencrypted",
    Transport.FTPES: "FTPS (explicit TLS)",
    Transport.FTPS: "FTPS (implicit TLS)",
    Transport.SFTP: "SFTP",
}
_PORTS = {Transport.FTP: 21, Transport.FTPES: 21, Transport.FTPS: 990, Transport.SFTP: 22}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EXAMPLE = "ftps://user@ftp.example.org/folder"


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server is and who signs in there. The password is in no text that it makes."""

    transport: Transport
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "/"

    @property
    def url(self) -> str:
        """The address without the password."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.transport] else f":{self.port}"
        return f"{self.transport}://{user}{host}{port}{quote(self.folder)}"


def parse_address(url: str) -> Address:
    """Read a URL; raise InvalidError that says what is wrong, without telling a password."""
    text = url.strip()
    if _CONTROL.search(text):
        raise InvalidError("The address has a line break or another control character.")
    scheme, _, _ = text.partition("://")
    if scheme.lower() not in list(Transport):
        known = ", ".join(f"{transport}://" for transport in Transport)
        raise InvalidError(f"The address must begin with one of {known}, as in {_EXAMPLE}.")
    return _parse(text, Transport(scheme.lower()))


def check_text(value: str, what: str) -> str:
    """Return what goes into a command of FTP, or raise InvalidError where it has a line break."""
    if _CONTROL.search(value):
        raise InvalidError(f"The {what} has a line break or another control character.")
    return value


def _parse(text: str, transport: Transport) -> Address:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidError(f"The address has no usable host or port; write {_EXAMPLE}.") from error
    if not host or port == 0:
        raise InvalidError(f"The address has no usable host or port; write {_EXAMPLE}.")
    if parts.query or parts.fragment:
        raise InvalidError("Write ? as %3F and # as %23 in an address.")
    return Address(
        transport=transport,
        host=host,
        port=port or _PORTS[transport],
        user=check_text(unquote(parts.username or ""), "user name"),
        password=check_text(unquote(parts.password or ""), "password"),
        folder=check_text(_folder(unquote(parts.path)), "folder"),
    )


def _folder(path: str) -> str:
    if ".." in path.split("/"):
        raise InvalidError("The folder of an address has no '..'.")
    return "/" + path.strip("/")
