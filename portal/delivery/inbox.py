"""Files that come into a spool: whole in `tmp` under a name of ours, then in `new` under theirs."""

import os
from dataclasses import dataclass

from portal.delivery.ledger import Entry
from portal.delivery.remote import RemoteFile
from portal.delivery.spool import Space, Spool, SpoolFile
from portal.errors import ConflictError
from portal.files import move_new


@dataclass
class Arriving:
    """A file on its way here, with its row. `begun`: the row is committed."""

    file: RemoteFile
    entry: Entry
    begun: bool = False


def open_arriving(spool: Spool, entry: Entry) -> SpoolFile:
    """A new file in `tmp`; once closed, it is on the disk."""
    return SpoolFile(spool.root / Space.TMP / entry.temporary)


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
