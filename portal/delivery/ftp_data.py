"""Connections for the data of FTP: passive or active, plain or in TLS, with the server's words.

A command that moves data is sent while its connection is being made, and the first bytes of a file
go along without waiting for the server's leave: on a slow line these are two waits less per file.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from ftplib import Error, error_perm, error_reply, parse227, parse229
from socket import AF_INET6, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, socket
from typing import Protocol

from portal.delivery.hosts import peer
from portal.delivery.remote import BLOCK, Read, Told

_UNKNOWN = ("500", "501", "502", "504", "522")
_LATE = "200"  # some servers say it about the command before, when a transfer begins
_FIRST = 16 * 1024  # fits into the buffers of a connection that nobody reads
_PORT_HIGH = 256


class Commands(Protocol):
    """A control connection, as transfers need it."""

    timeout: float | None
    secure: bool

    @property
    def line(self) -> socket: ...

    def putcmd(self, line: str) -> None: ...

    def getresp(self) -> str: ...

    def sendcmd(self, cmd: str) -> str: ...

    def close(self) -> None: ...

    def protected(self, connection: socket) -> ssl.SSLSocket: ...


class Transfer:
    """One command that moves data, and what the server says of it."""

    def __init__(self, control: Commands, command: str) -> None:
        self._control = control
        self._begun = False
        self._ended = False
        control.putcmd(command)

    def begin(self) -> None:
        """Wait for the server's leave; raise ftplib's errors where it refuses."""
        if self._begun or self._ended:
            return
        reply = self._said()
        if reply.startswith(_LATE):
            reply = self._said()
        self._begun, self._ended = reply[0] == "1", reply[0] == "2"
        if not (self._begun or self._ended):
            self._ended = True
            raise error_reply(reply)

    def end(self) -> None:
        """Wait for the server's word that all went well."""
        self.begin()
        if not self._ended:
            reply = self._said()
            self._ended = True
            if reply[0] != "2":
                raise error_reply(reply)

    def _said(self) -> str:
        try:
            return self._control.getresp()
        except Error:
            self._ended = True
            raise


class DataWay:
    """How connections for data are made: passive, EPSV first, or active."""

    def __init__(self, control: Commands, *, active: bool) -> None:
        self._control = control
        self._active = active
        self._extended = True

    def receive(self, command: str, told: Told, *, offset: int = 0) -> None:
        """Hand on all that comes in answer to `command`, block by block."""
        with self._open(command, offset) as (transfer, connection):
            transfer.begin()
            with self._line(connection) as line:
                while block := line.recv(BLOCK):
                    told(block)

    def send(self, command: str, read: Read, told: Told, *, offset: int = 0) -> None:
        """Send all that `read` gives, block by block."""
        with self._open(command, offset) as (transfer, connection):
            if self._control.secure:
                transfer.begin()
            with self._line(connection) as line:
                size = _FIRST
                while block := read(size):
                    if size == BLOCK:
                        transfer.begin()
                    line.sendall(block)
                    told(block)
                    size = BLOCK

    @contextmanager
    def _open(self, command: str, offset: int) -> Iterator[tuple[Transfer, socket]]:
        """A transfer with its connection; at its end comes the server's word that all went well.

        It comes also where the server broke the transfer off. Where we break off, the control
        connection is of no further use: what is said would be taken for another command's answer.
        """
        with self._asked() as connect:
            if offset:
                self._control.sendcmd(f"REST {offset}")
            transfer = Transfer(self._control, command)
            try:
                with self._connected(connect, transfer) as connection:
                    try:
                        yield transfer, connection
                    except OSError:
                        connection.close()
                        transfer.end()
                        raise
                transfer.end()
            except (OSError, Error):
                raise
            except BaseException:
                self._control.close()
                raise

    @contextmanager
    def _connected(
        self, connect: Callable[[Transfer], socket], transfer: Transfer
    ) -> Iterator[socket]:
        try:
            connection = connect(transfer)
        except OSError:
            self._control.close()  # the server still waits for it
            raise
        with connection:
            connection.settimeout(self._control.timeout)
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            yield connection

    def _asked(self) -> AbstractContextManager[Callable[[Transfer], socket]]:
        """Agree with the server on how to connect; what does it is returned."""
        return self._waiting() if self._active else nullcontext(self._calling(self._place()))

    def _calling(self, place: tuple[str, int]) -> Callable[[Transfer], socket]:
        def connect(_transfer: Transfer) -> socket:
            connection = socket(self._control.line.family, SOCK_STREAM)
            try:
                connection.settimeout(self._control.timeout)
                connection.connect(place)
            except BaseException:
                connection.close()
                raise
            return connection

        return connect

    @contextmanager
    def _waiting(self) -> Iterator[Callable[[Transfer], socket]]:
        """Active: the server calls us, where our end of the control connection is."""
        family = self._control.line.family
        with socket(family, SOCK_STREAM) as waiting:
            waiting.bind((self._control.line.getsockname()[0], 0))
            waiting.listen(1)
            waiting.settimeout(self._control.timeout)
            self._say_where(waiting)
            yield lambda transfer: self._taken(waiting, transfer)

    def _taken(self, waiting: socket, transfer: Transfer) -> socket:
        """The server's call; a stranger's is not taken."""
        transfer.begin()
        connection, caller = waiting.accept()
        if caller[0] != peer(self._control.line):
            connection.close()
            raise ConnectionRefusedError(f"{caller[0]} called instead of the server")
        return connection

    def _say_where(self, waiting: socket) -> None:
        host, port = waiting.getsockname()[:2]
        kind = 2 if waiting.family == AF_INET6 else 1
        if self._extended or kind == 2:
            try:
                self._control.sendcmd(f"EPRT |{kind}|{host}|{port}|")
            except error_perm as error:
                if str(error)[:3] not in _UNKNOWN or kind == 2:
                    raise
                self._extended = False
            else:
                return
        high, low = divmod(port, _PORT_HIGH)
        self._control.sendcmd(f"PORT {host.replace('.', ',')},{high},{low}")

    def _place(self) -> tuple[str, int]:
        """Where the server waits for data. The host that PASV names is never connected to."""
        return peer(self._control.line), self._passive_port()

    def _passive_port(self) -> int:
        if self._extended:
            try:
                return int(
                    parse229(self._control.sendcmd("EPSV"), self._control.line.getpeername())[1]
                )
            except error_perm as error:
                if str(error)[:3] not in _UNKNOWN:
                    raise
                self._extended = False
        return int(parse227(self._control.sendcmd("PASV"))[1])

    @contextmanager
    def _line(self, connection: socket) -> Iterator[socket]:
        """What the data go through; its end is told, and a server that just closes is fine."""
        if not self._control.secure:
            yield connection
            return
        with self._control.protected(connection) as line:
            yield line
            _end(line)


def _end(line: ssl.SSLSocket) -> None:
    """Sizes are compared, so that nothing depends on how a line is closed."""
    try:
        line.unwrap()
    except OSError:
        return
