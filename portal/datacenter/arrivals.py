"""Files that people drop into the storage by other ways than the pages, once they are whole."""

import pwd
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.datacenter import names
from portal.datacenter.checking import check_content
from portal.datacenter.disk import Entry, entries, find_entry, has_settled, move_free
from portal.datacenter.facts import facts_of, keep_long_name, note_fact
from portal.datacenter.place import lock_place, storage_path
from portal.datacenter.steps import Fact
from portal.errors import InvalidError
from portal.runtime import Runtime

AT_ONCE = 100
COUNTED_BYTES = 20_000_000

log = structlog.get_logger("portal.datacenter")


def note_arrivals(runtime: Runtime) -> list[str]:
    """Note dropped files that have stood still long enough; returns their names on disk.

    A file whose name could do harm on disk gets a safe one, by which people see the same.
    """
    with runtime.reads() as session:
        storage = storage_path(session, runtime.settings)
        strangers = _strangers(session, storage)
    now, seconds = runtime.clock(), runtime.settings.datacenter_settle_seconds
    settled = [entry for entry in strangers if has_settled(entry, now=now, seconds=seconds)]
    settled = settled[:AT_ONCE]
    if not settled:
        return []
    counts = {entry.name: _count_rows(entry) for entry in settled}
    with runtime.sessions.begin() as session:
        lock_place(session)
        if storage_path(session, runtime.settings) != storage:
            return []
        return [_noted(session, entry, counts[entry.name], now=now) for entry in settled]


def _strangers(session: Session, storage: Path) -> list[Entry]:
    found = [entry for entry in entries(storage) if names.is_data(entry.name)]
    known = facts_of(session, found)
    return [entry for entry in found if entry.name not in known]


def _noted(session: Session, entry: Entry, rows: int | None, *, now: datetime) -> str:
    arrived = entry if names.is_safe(entry.name) else _renamed(session, entry)
    fact = Fact(
        name=arrived.name,
        size=arrived.size,
        mtime_ns=arrived.mtime_ns,
        sha256="",
        origin="dropped",
        rows=rows,
    )
    note_fact(session, fact=fact, actor=Actor(user_id=None, name=_owner(arrived.path)), now=now)
    log.info("file arrived", size=arrived.size)
    return arrived.name


def _count_rows(entry: Entry) -> int | None:
    """How many rows a small file has; None for a large one, or one that is no table."""
    if entry.size > COUNTED_BYTES:
        return None
    try:
        return check_content(entry.path, name=entry.name).rows
    except (InvalidError, OSError):
        return None


def _renamed(session: Session, entry: Entry) -> Entry:
    shown = names.shown_name(entry.name)
    keep_long_name(session, names.cut_stem(shown))
    place = move_free(entry.path, entry.path.with_name(names.disk_name(shown)))
    return find_entry(place) or entry


def _owner(path: Path) -> str:
    """Who owns the file, as the operating system calls him."""
    try:
        return pwd.getpwuid(path.lstat().st_uid).pw_name
    except (KeyError, OSError):
        return ""
