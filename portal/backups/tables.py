"""The tables database in a backup: SQLite's file goes along, PostgreSQL has backups of its own."""

from pathlib import Path

from portal.backups import sqlite
from portal.backups.archive import ArchiveWriter, BackupError, Manifest
from portal.settings import Settings

FOLDER, NAME = "tables", "tables.sqlite"
MEMBER = f"{FOLDER}/{NAME}"


def add_tables(writer: ArchiveWriter, settings: Settings, *, folder: Path) -> None:
    """Add the tables as they are now, copied by way of `folder`; none yet is fine.

    It is done after the portal's own database: what that knows as finished must be in here.
    """
    if is_ours(settings) and sqlite.database_file(settings.tables).is_file():
        copy = folder / NAME
        sqlite.copy_whole(settings.tables, target=copy)
        writer.add(MEMBER, copy)


def refuse_unfit(settings: Settings, manifest: Manifest) -> None:
    """Raise BackupError where the tables of the backup have no place to go to."""
    if MEMBER not in manifest.members:
        return
    if not is_ours(settings):
        raise BackupError(
            "The backup holds the tables as SQLite; PORTAL_TABLES_URL names another kind."
        )
    sqlite.refuse_used(settings.tables)


def put_back(settings: Settings, *, unpacked: Path) -> None:
    """Move the tables from the unpacked backup to their place."""
    source = unpacked / FOLDER / NAME
    if source.is_file():
        sqlite.put_back(settings.tables, source=source)


def take_back(settings: Settings) -> None:
    """Remove what `put_back` made."""
    if is_ours(settings):
        sqlite.take_back(settings.tables)


def is_ours(settings: Settings) -> bool:
    """Say whether the tables are in an SQLite file, which nobody else backs up."""
    return settings.tables.startswith("sqlite")
