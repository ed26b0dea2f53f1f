"""ftplib, as safe as a delivery needs it: checked hosts and certificates, TLS sessions used again.

ftplib's own FTP_TLS makes a new TLS session for each data connection, which strict servers refuse
(CPython issue 63699).
"""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ftplib import FTP_TLS, error_perm, error_reply, error_temp
from socket import socket
from typing import cast

from portal.delivery.addresses import Transport
from portal.delivery.ftp_data import DataWay
from portal.delivery.ftp_sums import SumCommand, sum_command
from portal.delivery.host_keys import certificate_text, check_key
from portal.delivery.hosts import dial
from portal.delivery.remote import Read, Server, Told

READS_BYTES = 10_000_000  # a second; slower disks are no reason to think that the line broke
_ENCRYPTED = (Transport.FTPES, Transport.FTPS)


class Control(FTP_TLS):
    """A control connection; `open` connects and signs in."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            context=tls_context(server), timeout=server.timeout, encoding=server.encoding
        )
        self.secure = server.address.transport in _ENCRYPTED
        self.features: dict[str, str] = {}
        self.sums: SumCommand | None = None
        self._server = server
        self._way = DataWay(self, active=server.active)

    def reach(self) -> str:
        """Connect, and return the greeting."""
        address = self._server.address
        self.host, self.port = address.host, address.port
        self.sock = dial(
            address.host, address.port, allowed=self._server.allowed, timeout=self._server.timeout
        )
        self.af = self.sock.family
        if address.transport is Transport.FTPS:
            self.sock = self.context.wrap_socket(self.sock, server_hostname=address.host)
        self.file = self.sock.makefile("r", encoding=self.encoding, newline="\r\n")
        self.welcome = self.getresp()
        return self.welcome

    def encrypt(self) -> str:
        """Turn to TLS where the address asks for it; return what protects the line."""
        if self._server.address.transport is Transport.FTPES:
            self.auth()
        if not self.secure:
            return "not encrypted"
        self._check_certificate(self.sock)
        line = cast("ssl.SSLSocket", self.sock)
        cipher = line.cipher()
        return f"{line.version()}, {cipher[0] if cipher else 'no cipher'}"

    def sign_in(self) -> None:
        """Give name and password, and ask for binary files and what the server can do."""
        address = self._server.address
        self._give(address.user or "anonymous", address.password)
        asked = ["FEAT", "TYPE I"]
        if self.secure:
            asked += ["PBSZ 0", "PROT P"]
        told, *agreed = self.many(asked)
        for reply in agreed:
            _check(reply)
        self.features = _features(told)
        self.sums = sum_command(self.features)
        if self.sums is not None and self.sums.before:
            _check(self.sendcmd(self.sums.before))

    def enter(self, folder: str) -> None:
        """Go to a folder, whose name is in UTF-8 where the server knows it."""
        plain = self.encoding.lower().replace("-", "") == "utf8" and "UTF8" in self.features
        _check(self.many([*(["OPTS UTF8 ON"] if plain else []), f"CWD {folder}"])[-1])

    @contextmanager
    def patient(self, size: int) -> Iterator[None]:
        """Wait longer for answers: the server has to read so many bytes before."""
        self.line.settimeout(self._server.timeout + size / READS_BYTES)
        try:
            yield
        finally:
            if self.sock is not None:
                self.sock.settimeout(self._server.timeout)

    def receive(self, command: str, told: Told, *, offset: int = 0) -> None:
        """Hand on all that comes in answer to `command`; the server says that it was all."""
        self._way.receive(command, told, offset=offset)

    def send(self, command: str, read: Read, told: Told, *, offset: int = 0) -> None:
        """Send all that `read` gives; the server says that it took it."""
        self._way.send(command, read, told, offset=offset)

    def putline(self, line: str) -> None:
        """Send a command; a connection that was closed has ended."""
        if self.sock is None:
            raise EOFError
        super().putline(line)

    def lines(self, command: str) -> list[str]:
        """What a listing command sends, line by line."""
        blocks: list[bytes] = []
        self.receive(command, blocks.append)
        return b"".join(blocks).decode(self.encoding).splitlines()

    def many(self, commands: Sequence[str]) -> list[str]:
        """Send commands in one go and return their replies, refusals among them."""
        lines = "".join(f"{_checked(command)}\r\n" for command in commands)
        self.line.sendall(lines.encode(self.encoding))
        return [self.getmultiline() for _ in commands]

    @property
    def line(self) -> socket:
        """The socket of the control connection."""
        if self.sock is None:
            raise EOFError
        return self.sock

    def protected(self, connection: socket) -> ssl.SSLSocket:
        """A data connection in the TLS session of this one."""
        session = cast("ssl.SSLSocket", self.sock).session
        line = self.context.wrap_socket(connection, server_hostname=self.host, session=session)
        if not line.session_reused:
            self._check_certificate(line)
        return line

    @property
    def certificate(self) -> str:
        """What the server showed, as a key that can be approved; empty without encryption."""
        return _shown_by(self.sock) if self.secure else ""

    def _check_certificate(self, line: object) -> None:
        """Where one was approved, it is this one and no other, whoever issued it."""
        if self._server.host_key:
            check_key(_shown_by(line), approved=self._server.host_key)

    def _give(self, user: str, password: str) -> None:
        reply = self.sendcmd(f"USER {user}")
        if reply[0] == "3":
            reply = self.sendcmd(f"PASS {password}")
        if reply[0] != "2":
            raise error_reply(reply)


def tls_context(server: Server) -> ssl.SSLContext:
    """Certificates are verified unless the endpoint says otherwise, or one was approved."""
    if server.address.transport not in _ENCRYPTED:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used, and quickly made
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.tls_ca:
        context.load_verify_locations(cadata=server.tls_ca)
    if not server.tls_verify or server.host_key:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def shown_certificate(server: Server) -> str:
    """What a server shows whose certificate is not trusted; nobody signs in there."""
    control = Control(replace(server, tls_verify=False, host_key=""))
    try:
        control.reach()
        control.encrypt()
        return control.certificate
    finally:
        control.close()


def _shown_by(line: object) -> str:
    return certificate_text(cast("ssl.SSLSocket", line).getpeercert(binary_form=True))


def _features(told: str) -> dict[str, str]:
    """What a server says that it can do; one that does not know the question says nothing."""
    words = [line.strip().partition(" ") for line in told.splitlines()[1:-1]]
    return {name.upper(): rest for name, _, rest in words} if told.startswith("2") else {}


def _check(reply: str) -> None:
    if not reply.startswith("2"):
        raise (error_temp if reply.startswith("4") else error_perm)(reply)


def _checked(command: str) -> str:
    if "\r" in command or "\n" in command:
        raise ValueError("a command has a line break")
    return command
