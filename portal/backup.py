"""Backup and restore of a whole portal: its database and its files, consistent with each other.

Why the two fit together although the portal goes on working meanwhile: a file is durable before
the row that names it is committed, and is never changed afterwards. So every file that the
database's snapshot names is there when it is copied later, unless it was removed in between; those
are listed. The data centre's files move, but by intents that the snapshot has or that came later
(backups/storage_files.py). The audit log's head is copied before the snapshot, because it must not
be newer.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType

from sqlalchemy import delete, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal import __version__
from portal.accounts.models import ApiToken, SignInSession
from portal.accounts.permissions import SYSTEM, Actor
from portal.audit.chain import HEAD_FILE
from portal.audit.service import record
from portal.backups import postgresql, sqlite, tables
from portal.backups.archive import ArchiveWriter, BackupError, Facts, Manifest, unpack, verify
from portal.backups.kept_files import kept_files
from portal.datacenter.models import DataCenterPlace
from portal.errors import PortalError
from portal.files import fsync_folder, move_new, private_folder, remove_tree
from portal.migrations.run import knows_schema, upgrade
from portal.rows.copies import adopt_sources
from portal.runtime import Runtime
from portal.settings import Settings
from portal.up import make_data_folder

DATABASE, FILES = "database", "files"
KEY_FILE = "secret_key"
IGNORED = frozenset({"lost+found"})  # a data folder may be a file system of its own


@dataclass(frozen=True, kw_only=True)
class BackupReport:
    """What was written; `missing` and `damaged` name files that were not as their rows say."""

    path: Path
    size: int
    files: int
    missing: tuple[str, ...]
    damaged: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    """What was restored, and of when."""

    made_at: str
    version: str
    files: int
    missing: tuple[str, ...]


def write_backup(
    settings: Settings, target: Path, *, actor: Actor = SYSTEM, address: str = ""
) -> BackupReport:
    """Write the whole portal into the new file `target` (0600); it appears whole or not at all.

    The portal may run. Raises BackupError; then there is no `target`.
    """
    target = target.absolute()
    _refuse_bad_target(target)
    runtime = Runtime.open(settings)
    try:
        report = _written(runtime, target)
        with runtime.sessions.begin() as session:
            record(
                session,
                actor=actor,
                action="portal.backup",
                object_kind="portal",
                object_id=target.name,
                now=runtime.clock(),
                address=address,
            )
    finally:
        runtime.close()
    return report


def restore_backup(
    settings: Settings, source: Path, *, actor: Actor = SYSTEM, address: str = ""
) -> RestoreReport:
    """Make an empty data folder and an empty database into the portal that `source` holds.

    All is verified before anything is touched, the schema is brought to this version's, and all
    sign-ins end. Raises BackupError; then folder and database are as empty as before.
    """
    manifest = verify(source)
    _refuse_unfit(settings, manifest.facts)
    _refuse_used(settings)
    tables.refuse_unfit(settings, manifest)
    _make_place(settings)
    try:
        _put_back(settings, source, manifest)
        _begin_anew(settings, manifest.facts, actor=actor, address=address)
    except (PortalError, SQLAlchemyError, OSError) as error:
        _empty(settings)
        raise BackupError(f"The backup could not be restored: {error}") from error
    return RestoreReport(
        made_at=manifest.facts.made_at,
        version=manifest.facts.version,
        files=len(manifest.members),
        missing=manifest.facts.missing,
    )


@dataclass(frozen=True, kw_only=True)
class _Unsound:
    """Files that are not as their rows say."""

    missing: tuple[str, ...]
    damaged: tuple[str, ...]


def _refuse_bad_target(target: Path) -> None:
    if target.exists():
        raise BackupError(f"{target} exists already; choose another name.")
    if not os.access(target.parent, os.W_OK):
        raise BackupError(f"The folder {target.parent} is missing or cannot be written to.")


def _written(runtime: Runtime, target: Path) -> BackupReport:
    with tempfile.TemporaryDirectory(prefix=".portal-backup-", dir=target.parent) as name:
        aside = Path(name) / "backup.tar"
        unsound = _collect(runtime, aside, folder=Path(name))
        manifest = verify(aside)
        move_new(aside, target)
    return BackupReport(
        path=target,
        size=target.stat().st_size,
        files=len(manifest.members),
        missing=unsound.missing,
        damaged=unsound.damaged,
    )


def _collect(runtime: Runtime, aside: Path, *, folder: Path) -> _Unsound:
    settings, room = runtime.settings, _room(runtime.settings.database)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        writer = ArchiveWriter(stream)
        for name in (HEAD_FILE, KEY_FILE):  # before the snapshot, see above
            if (settings.data / name).is_file():
                writer.add(f"{FILES}/{name}", settings.data / name)
        with room.snapshot(settings.database, folder=folder) as (copy, session):
            writer.add(f"{DATABASE}/{copy.name}", copy)
            unsound = _add_files(writer, session, settings)
            tables.add_tables(writer, settings, folder=folder)
            schema = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        writer.close(
            Facts(
                version=__version__,
                made_at=runtime.clock().isoformat(timespec="seconds"),
                database=room.NAME,
                schema=schema,
                missing=unsound.missing,
            )
        )
        stream.flush()
        os.fsync(stream.fileno())
    return unsound


def _add_files(writer: ArchiveWriter, session: Session, settings: Settings) -> _Unsound:
    missing: list[str] = []
    damaged: list[str] = []
    for kept in kept_files(session, settings):
        place = kept.place or kept.path.relative_to(settings.data).as_posix()
        try:
            written = writer.add(f"{FILES}/{place}", kept.path)
        except FileNotFoundError:
            missing.append(kept.called)
            continue
        if kept.sha256 and written.sha256 != kept.sha256:
            damaged.append(kept.called)
    return _Unsound(missing=tuple(missing), damaged=tuple(damaged))


def _room(url: str) -> ModuleType:
    """What snapshots the database of `url` and puts it back."""
    return sqlite if url.startswith("sqlite") else postgresql


def _refuse_unfit(settings: Settings, facts: Facts) -> None:
    if facts.database != _room(settings.database).NAME:
        kind = "SQLite" if facts.database == sqlite.NAME else "PostgreSQL"
        raise BackupError(
            f"The database in the backup is one of {kind}; PORTAL_DATABASE_URL names another kind."
        )
    if not knows_schema(facts.schema):
        raise BackupError(
            f"The backup was made by Portal {facts.version}, which is newer than this one "
            f"({__version__}). Install that version and restore again."
        )


def _refuse_used(settings: Settings) -> None:
    data = settings.data
    if data.exists() and any(entry.name not in IGNORED for entry in data.iterdir()):
        raise BackupError(f"The data folder {data} is not empty. Restore into an empty folder.")
    _room(settings.database).refuse_used(settings.database)


def _make_place(settings: Settings) -> None:
    try:
        make_data_folder(settings.data)
    except PortalError as error:
        raise BackupError(str(error)) from error


def _put_back(settings: Settings, source: Path, manifest: Manifest) -> None:
    """The files first: a database without its files must never be seen."""
    data = settings.data
    work = private_folder(data / "restoring")
    unpack(source, manifest, folder=work)
    for entry in sorted((work / FILES).iterdir()) if (work / FILES).is_dir() else []:
        move_new(entry, data / entry.name)
    tables.put_back(settings, unpacked=work)
    room = _room(settings.database)
    room.put_back(settings.database, source=work / DATABASE / room.NAME)
    remove_tree(work)
    fsync_folder(data)


def _begin_anew(settings: Settings, facts: Facts, *, actor: Actor, address: str) -> None:
    """Migrate forward, end all sign-ins (some had ended since), and say so in the audit log.

    The data centre's storage is in its default place again: there the files are. Where the tables
    database is away, its batches find their files once the portal runs.
    """
    runtime = Runtime.open(settings)
    try:
        upgrade(runtime.engine)
        with suppress(PortalError, SQLAlchemyError):
            adopt_sources(runtime)
        with runtime.sessions.begin() as session:
            session.execute(delete(SignInSession))
            _revoke_tokens(session, now=runtime.clock())
            session.execute(update(DataCenterPlace).values(path=""))
            record(
                session,
                actor=actor,
                action="portal.restore",
                object_kind="portal",
                object_id=facts.made_at,
                now=runtime.clock(),
                address=address,
                detail={"version": facts.version},
            )
    finally:
        runtime.close()


def _revoke_tokens(session: Session, *, now: datetime) -> None:
    """The backup does not know which of them were revoked since."""
    session.execute(update(ApiToken).where(ApiToken.revoked_at.is_(None)).values(revoked_at=now))


def _empty(settings: Settings) -> None:
    tables.take_back(settings)
    for entry in settings.data.iterdir():
        if entry.name in IGNORED:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    _room(settings.database).take_back(settings.database)
