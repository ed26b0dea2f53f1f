"""ftplib, as safe as a delivery needs it: checked hosts, EPSV first, TLS sessions used again.

ftplib's own FTP_TLS makes a new TLS session for each data connection, which strict servers refuse
(CPython issue 63699).
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ftplib import FTP_TLS, error_perm, error_reply, parse227, parse229
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket
from typing import cast

from portal.delivery.addresses import Transport
from portal.delivery.hosts import dial, peer
from portal.delivery.remote import BLOCK, Server

_UNKNOWN = ("500", "501", "502", "504", "522")
_ENCRYPTED = (Transport.FTPES, Transport.FTPS)


class Control(FTP_TLS):
    """A control connection; `open` connects and signs in."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            context=tls_context(server), timeout=server.timeout, encoding=server.encoding
        )
        self.secure = server.address.transport in _ENCRYPTED
        self.features: dict[str, str] = {}
        self._server = server
        self._extended = True

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
        line = cast("ssl.SSLSocket", self.sock)
        cipher = line.cipher()
        return f"{line.version()}, {cipher[0] if cipher else 'no cipher'}"

    def sign_in(self) -> None:
        """Give name and password, and ask for binary files and what the server can do."""
        address = self._server.address
        self._give(address.user or "anonymous", address.password)
        if self.secure:
            self.prot_p()
        self.features = self._read_features()
        if "UTF8" in self.features and self.encoding.lower().replace("-", "") == "utf8":
            self._try("OPTS UTF8 ON")
        self.voidcmd("TYPE I")

    @contextmanager
    def data(self, command: str, *, offset: int = 0) -> Iterator[socket]:
        """A data connection for `command`; at its end the server's word that all went well."""
        connection = create_connection((peer(self._line), self._passive_port()), self.timeout)
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        try:
            if offset:
                self.sendcmd(f"REST {offset}")
            self._begin(command)
            if self.secure:
                connection = self._protected(connection)
        except BaseException:
            connection.close()
            raise
        with self._judged(connection):
            yield connection
            _end(connection)

    def lines(self, command: str) -> list[str]:
        """What a listing command sends, line by line."""
        blocks: list[bytes] = []
        with self.data(command) as connection:
            receive_all(connection, blocks.append)
        return b"".join(blocks).decode(self.encoding).splitlines()

    def many(self, commands: Sequence[str]) -> list[str]:
        """Send commands in one go and return their replies, refusals among them."""
        lines = "".join(f"{_checked(command)}\r\n" for command in commands)
        self._line.sendall(lines.encode(self.encoding))
        return [self.getmultiline() for _ in commands]

    @contextmanager
    def _judged(self, connection: socket) -> Iterator[None]:
        """At the end of a transfer comes the server's word; also where it broke the transfer off.

        Where we break off, the connection is of no further use: what is said would be taken for
        the answer to the next command.
        """
        try:
            yield
        except OSError:
            connection.close()
            self.voidresp()
            raise
        except BaseException:
            connection.close()
            self.close()
            raise
        connection.close()
        self.voidresp()

    @property
    def _line(self) -> socket:
        """The socket of the control connection."""
        if self.sock is None:
            raise EOFError
        return self.sock

    def _give(self, user: str, password: str) -> None:
        reply = self.sendcmd(f"USER {user}")
        if reply[0] == "3":
            reply = self.sendcmd(f"PASS {password}")
        if reply[0] != "2":
            raise error_reply(reply)

    def _read_features(self) -> dict[str, str]:
        try:
            lines = self.sendcmd("FEAT").splitlines()[1:-1]
        except error_perm:
            return {}
        words = [line.strip().partition(" ") for line in lines]
        return {name.upper(): rest for name, _, rest in words}

    def _passive_port(self) -> int:
        """Where the server waits for data. The host that PASV names is never connected to."""
        if self._extended:
            try:
                return int(parse229(self.sendcmd("EPSV"), self._line.getpeername())[1])
            except error_perm as error:
                if str(error)[:3] not in _UNKNOWN:
                    raise
                self._extended = False
        return int(parse227(self.sendcmd("PASV"))[1])

    def _begin(self, command: str) -> None:
        reply = self.sendcmd(command)
        if reply[0] == "2":  # a late word about the command before
            reply = self.getresp()
        if reply[0] != "1":
            raise error_reply(reply)

    def _protected(self, connection: socket) -> ssl.SSLSocket:
        session = cast("ssl.SSLSocket", self.sock).session
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session)

    def _try(self, command: str) -> None:
        try:
            self.sendcmd(command)
        except error_perm:
            return


def tls_context(server: Server) -> ssl.SSLContext:
    """Certificates are verified unless the endpoint says otherwise."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.tls_ca:
        context.load_verify_locations(cadata=server.tls_ca)
    if not server.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def send_all(
    connection: socket, read: Callable[[int], bytes], told: Callable[[bytes], None]
) -> None:
    """Send all that `read` gives, block by block."""
    while block := read(BLOCK):
        connection.sendall(block)
        told(block)


def receive_all(connection: socket, told: Callable[[bytes], None]) -> None:
    """Hand on all that comes, block by block."""
    while block := connection.recv(BLOCK):
        told(block)


def _checked(command: str) -> str:
    if "\r" in command or "\n" in command:
        raise ValueError("a command has a line break")
    return command


def _end(connection: socket) -> None:
    """Tell the end of the data; a server that just closes is fine, for sizes are compared."""
    if not isinstance(connection, ssl.SSLSocket):
        return
    try:
        connection.unwrap()
    except OSError:
        return
