"""E-mail goes out encrypted where the address says so, and only to who proves to be the server."""

import socket
import ssl
import subprocess
from datetime import UTC, datetime
from smtplib import SMTPException

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from portal.jobs.mail import send_mail
from portal.jobs.models import Outgoing

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Mailbox:
    """Keeps to whom mail came, and whether encrypted."""

    def __init__(self):
        self.received = []

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 (aiosmtpd's name)
        self.received.append((is_encrypted(server), envelope.rcpt_tos))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that vouches for itself: (certificate, key) as files."""
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.fixture
def trusted(certificate, monkeypatch):
    """This machine trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


@pytest.fixture
def tls(certificate):
    """What a server needs to speak TLS under that certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


@pytest.fixture
def serve():
    """`serve(**options)`: a mailbox behind an SMTP server with these options."""
    started = []

    def start(**options):
        box = Mailbox()
        with socket.socket() as probe:  # aiosmtpd asks itself on the port that it was given
            probe.bind(("127.0.0.1", 0))
            box.port = probe.getsockname()[1]
        controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
        controller.start()
        started.append(controller)
        return box

    yield start
    for controller in started:
        controller.stop()


def is_encrypted(server):
    return server.transport.get_extra_info("cipher") is not None


def outgoing():
    payload = {"subject": "Export failed", "text": "Export failed: no disk", "job": "a" * 32}
    return Outgoing(
        id=7, channel="email", target="anna@example.org", payload=payload, created_at=NOW
    )


encrypted = pytest.mark.parametrize(
    ("option", "url"),
    [
        ("tls_context", "smtp://127.0.0.1:{}/?starttls=1"),
        ("ssl_context", "smtps://127.0.0.1:{}"),
    ],
    ids=["starttls", "smtps"],
)


@encrypted
def test_a_mail_goes_out_encrypted(make_settings, serve, tls, trusted, option, url):
    box = serve(**{option: tls})
    send_mail(outgoing(), settings=make_settings(smtp_url=url.format(box.port)))
    assert box.received == [(True, ["anna@example.org"])]


@encrypted
def test_a_server_that_cannot_prove_its_name_gets_nothing(make_settings, serve, tls, option, url):
    box = serve(**{option: tls})
    with pytest.raises(ssl.SSLCertVerificationError):
        send_mail(outgoing(), settings=make_settings(smtp_url=url.format(box.port)))
    assert box.received == []


def test_a_server_that_knows_no_starttls_gets_nothing_where_it_is_asked_for(make_settings, serve):
    box = serve()
    with pytest.raises(SMTPException, match="STARTTLS"):
        send_mail(
            outgoing(), settings=make_settings(smtp_url=f"smtp://127.0.0.1:{box.port}/?starttls=1")
        )
    assert box.received == []


def test_name_and_password_are_told_after_encryption(make_settings, serve, tls, trusted):
    told = []

    def check(server, _session, _envelope, _mechanism, data):
        told.append((is_encrypted(server), data.login, data.password))
        return AuthResult(success=True)

    box = serve(tls_context=tls, authenticator=check, auth_required=True)
    url = f"smtp://portal:se%40cret@127.0.0.1:{box.port}/?starttls=1"
    send_mail(outgoing(), settings=make_settings(smtp_url=url))
    assert told == [(True, b"portal", b"se@cret")]
    assert len(box.received) == 1
