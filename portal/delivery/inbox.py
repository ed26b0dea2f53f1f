"""Files that come into a spool: whole in `tmp` under a name of ours, then in `new` under theirs."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.ledger import Entry
from portal.delivery.remote import RemoteFile
from portal.delivery.spool import Space, Spool, SpoolFile
from portal.errors import ConflictError
from portal.files import CHUNK, move_new


@dataclass
class Arriving:
    """A file on its way here, with its row. `begun`: the row is committed."""

    file: RemoteFile
    entry: Entry
    begun: bool = False


def open_arriving(spool: Spool, entry: Entry, *, goes_on: bool = False) -> SpoolFile:
    """A file in `tmp`, new or to be gone on with at its end; once closed, it is on the disk."""
    return SpoolFile(spool.root / Space.TMP / entry.temporary, goes_on=goes_on)


def size_here(spool: Spool, entry: Entry) -> int:
    """How much of it an earlier attempt brought here; nothing where the machine fell since.

    What was written just before that may be there in length only.
    """
    try:
        facts = (spool.root / Space.TMP / entry.temporary).stat()
    except FileNotFoundError:
        return 0
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return facts.st_size if entry.temporary and facts.st_mtime > started else 0


def read_arriving(spool: Spool, entry: Entry, told: Callable[[bytes], None]) -> None:
    """Tell what is here already, block by block."""
    with (spool.root / Space.TMP / entry.temporary).open("rb") as stream:
        while block := stream.read(CHUNK):
            told(block)


@contextmanager
def writing_here() -> Iterator[None]:
    """Faults of this machine's disk are told as such, for they are none of the server's."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = Reason.SPACE if full else Reason.PERMISSION
        said = "the disk of this machine is full" if full else error.strerror
        raise DeliveryError(reason, f"The spool cannot be written: {said}.") from error


def remove_arriving(spool: Spool, entry: Entry) -> None:
    """Remove what came of an attempt; nothing there is fine."""
    if entry.temporary:
        (spool.root / Space.TMP / entry.temporary).unlink(missing_ok=True)


def is_taken(spool: Spool, name: str) -> bool:
    """Whether `new` still has a file of this name."""
    return os.path.lexists(spool.path(name, Space.NEW))


def put_into_new(spool: Spool, entry: Entry) -> str:
    """Move it from `tmp` to `new`, and return its name; empty where that was done before.

    Only Portal touches its names in `tmp`, so that one which is gone was moved. Raises
    ConflictError where a file of that name has come meanwhile.
    """
    source = spool.root / Space.TMP / entry.temporary
    if not source.exists():
        return ""
    try:
        move_new(source, spool.path(entry.name, Space.NEW))
    except FileExistsError as error:
        raise ConflictError(f"'new' already has a file {entry.name!r}.") from error
    return entry.name
