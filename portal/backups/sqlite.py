"""A snapshot of an SQLite database, and putting it back."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session

from portal.backups.archive import BackupError
from portal.db import BUSY_TIMEOUT_MS
from portal.files import move_new

NAME = "portal.sqlite"


def database_file(url: str) -> Path:
    """The file that `url` names, be it a path or an SQLite URI (sqlite.org/uri.html)."""
    return Path((make_url(url).database or "").removeprefix("file:"))


@contextmanager
def snapshot(url: str, *, folder: Path) -> Iterator[tuple[Path, Session]]:
    """Copy the database into `folder` as of one moment; writers go on meanwhile.

    Yields the copy and a session that reads it. Raises BackupError where it is damaged.
    """
    target = folder / NAME
    copy_whole(url, target=target)
    engine = create_engine(f"sqlite:///{target}", hide_parameters=True)
    try:
        with Session(engine) as session:
            yield target, session
    finally:
        engine.dispose()


def copy_whole(url: str, *, target: Path) -> None:
    """Copy the database to `target` as of one moment; raises BackupError where it is damaged."""
    source = database_file(url)
    if not source.is_file():
        raise BackupError(f"There is no database {source}; is PORTAL_DATA the right folder?")
    with _connected(source) as live, _connected(target) as copy:
        live.backup(copy)  # one step: one read transaction, sqlite.org/backup.html
        copy.execute("PRAGMA journal_mode=DELETE")  # a single file, with nothing beside it
        said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise BackupError(f"The database {source} is damaged: {said}")


def refuse_used(url: str) -> None:
    """Raise BackupError where there is a database already."""
    target = database_file(url)
    if target.exists():
        raise BackupError(f"There is a database {target} already. Restore into an empty place.")


def put_back(url: str, *, source: Path) -> None:
    """Move the copy to the place of the database."""
    target = database_file(url)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = target.with_name(f".{target.name}.restored.part")
    with _connected(source) as copy, _connected(aside) as restored:
        copy.backup(restored)
    aside.chmod(0o600)
    move_new(aside, target)


def take_back(url: str) -> None:
    """Remove what `put_back` and a migration made."""
    target = database_file(url)
    for name in (target.name, f"{target.name}-wal", f"{target.name}-shm"):
        target.with_name(name).unlink(missing_ok=True)
    target.with_name(f".{target.name}.restored.part").unlink(missing_ok=True)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as opened:
            yield opened
    except sqlite3.DatabaseError as error:
        raise BackupError(f"SQLite cannot copy {path}: {error}.") from error
