"""The connection of a run: opened again when it broke, with the lock on the server."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from portal.delivery.faults import DeliveryError, LostError
from portal.delivery.remote import Dialler, Remote, Server, unwatched
from portal.delivery.remote_lock import LockLostError, RemoteLock
from portal.delivery.spool import Spool
from portal.delivery.transfer_log import TRANSFER

TRIES = 3


class Line:
    """The connection of one run; `remote` is open whenever it is asked for."""

    def __init__(self, server: Server, dial: Dialler) -> None:
        self._server = server
        self._dial = dial
        self._remote: Remote | None = None

    @property
    def remote(self) -> Remote:
        """The open connection; a new one after `hang_up`."""
        if self._remote is None:
            self._remote = self._dial(self._server, unwatched)
        return self._remote

    def open(self) -> None:
        """Connect. Raises DeliveryError."""
        self._remote = self.remote

    def another(self) -> "Line":
        """A further line to the same server; it is not open yet."""
        return Line(self._server, self._dial)

    @contextmanager
    def briefly(self) -> Iterator[Remote]:
        """A further connection, closed at the end."""
        line = self.another()
        try:
            yield line.remote
        finally:
            line.hang_up()

    def hang_up(self) -> None:
        """Close the connection; the next step opens a new one."""
        if self._remote is not None:
            self._remote.close()
        self._remote = None


@contextmanager
def locked_line(server: Server, *, dial: Dialler, lock: RemoteLock, spool: Spool) -> Iterator[Line]:
    """Connect and take the lock; whatever happens, remove the lock and disconnect.

    A lock that cannot be removed now is known to be ours by the next run.
    """
    line = Line(server, dial)
    address = server.address
    TRANSFER.info(
        "Connecting to CDS FTP server (host %s, port %s, user %s, upload_dir %s)",
        address.host,
        address.port,
        address.user,
        address.folder,
    )
    line.open()
    try:
        TRANSFER.info("Accessed filestore %s", spool.root)
        try:
            _take(line, lock)
            yield line
        finally:
            _release(line, lock)
    finally:
        line.hang_up()
        TRANSFER.info("Disconnected from CDS FTP server")


def _take(line: Line, lock: RemoteLock) -> None:
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            lock.take(line.remote)
        except LostError:
            line.hang_up()
            if not tries_left:
                raise
        else:
            return


def _release(line: Line, lock: RemoteLock) -> None:
    if not lock.held:
        return
    for _ in range(2):  # the line may have broken since it was used last
        try:
            lock.release(line.remote)
        except LockLostError:
            return
        except DeliveryError:
            with suppress(DeliveryError):
                line.hang_up()
        else:
            return
