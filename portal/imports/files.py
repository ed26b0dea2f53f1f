"""Files that wait to be imported: taken in whole, hashed, never changed."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.errors import ConflictError, ForbiddenError, InvalidError
from portal.files import CHUNK, fsync_folder, private_folder, safe_name
from portal.imports.words import KIND
from portal.jobs.models import ACTIVE, Job
from portal.jobs.work import Work
from portal.rows.copies import ABANDONED_SECONDS, Source, sources_folder
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from portal.settings import Settings

MEGABYTE = 1_000_000
GONE = "The file that was sent is no longer kept; import it anew."
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Incoming(Protocol):
    """Bytes that come some at a time."""

    def read(self, most: int, /) -> bytes:
        """The next ones, `most` at most or as many as there are; none at the end."""
        ...


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that waits for its import: `id` is its name on disk, `sha256` in hex."""

    id: str
    name: str
    size: int
    sha256: str


def waiting_folder(settings: Settings) -> Path:
    """Where files wait until their import begins."""
    return settings.data / "imports"


def store_file(runtime: Runtime, *, stream: Incoming, name: str, actor: Actor) -> StoredFile:
    """Keep what `stream` gives, whole and durable, for an import to be asked for.

    Raises ForbiddenError, and InvalidError for a name that is none, or where it is too large.
    """
    if not actor.may(Permission.IMPORTS_RUN):
        raise ForbiddenError("You may not import files into tables.")
    shown, settings = safe_name(name), runtime.settings
    folder = private_folder(waiting_folder(settings))
    with runtime.reads() as session:
        left = _left(session, settings, folder)
    file_id = uuid4().hex
    aside = folder / f".{file_id}.part"
    try:
        size, digest = _receive(stream, aside, settings, left=left)
        aside.rename(folder / file_id)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise InvalidError("The disk is full; nothing of the file was kept.") from error
        raise
    fsync_folder(folder)
    return StoredFile(id=file_id, name=shown, size=size, sha256=digest)


def take_file(work: Work, *, file_id: str, size: int, sha256: str) -> Source:
    """Give a waiting file to the attempt's batch; raises ConflictError where it is gone."""
    target = copy_for(work)
    waiting = waiting_folder(work.runtime.settings) / file_id
    try:
        os.link(waiting, target, follow_symlinks=False)
    except FileNotFoundError:
        raise ConflictError(GONE) from None
    fsync_folder(target.parent)
    return Source(path=target, size=size, sha256=sha256)


def take_stream(work: Work, *, stream: Incoming) -> Source:
    """Write what `stream` gives as the file of the attempt's batch.

    Raises InvalidError where it is too large.
    """
    target, settings = copy_for(work), work.runtime.settings
    target.unlink(missing_ok=True)  # of an attempt that was cut short
    with work.runtime.reads() as session:
        left = _left(session, settings, private_folder(waiting_folder(settings)))
    try:
        size, digest = _receive(stream, target, settings, left=left)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    fsync_folder(target.parent)
    return Source(path=target, size=size, sha256=digest)


def copy_for(work: Work) -> Path:
    """Where the batch of this attempt shall find its file."""
    folder = private_folder(sources_folder(work.runtime.settings))
    return folder / f"{work.claim.job_id}-{work.claim.token}"


def drop_file(settings: Settings, *, file_id: str) -> None:
    """Let a waiting file go whose batch has its own name for it."""
    if file_id:
        (waiting_folder(settings) / file_id).unlink(missing_ok=True)


def sweep_waiting(runtime: Runtime) -> int:
    """Remove files for which nobody asked in time, or whose job is over; returns how many."""
    folder = waiting_folder(runtime.settings)
    if not folder.is_dir():
        return 0
    before = runtime.clock().timestamp() - ABANDONED_SECONDS
    with contextlib.suppress(FileNotFoundError):  # one that its job has just taken
        old = [path for path in folder.iterdir() if path.lstat().st_mtime < before]
        wanted = _wanted(runtime)
        gone = [path for path in old if path.name not in wanted]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)
    return 0


def needed_files(session: Session, settings: Settings) -> Iterator[Source]:
    """The waiting files whose jobs have not taken them yet."""
    active = select(Job.args).where(Job.area == KIND, Job.state.in_(ACTIVE))
    for args in session.scalars(active):
        if args.get("source"):
            path = waiting_folder(settings) / str(args["source"])
            if path.exists():
                yield Source(path=path, size=args["size"], sha256=args["sha256"])


def _wanted(runtime: Runtime) -> set[str]:
    with runtime.reads() as session:
        return {source.path.name for source in needed_files(session, runtime.settings)}


def _left(session: Session, settings: Settings, folder: Path) -> int:
    """How many bytes may still come before the quota, or what shall stay free, is reached."""
    table = PORTAL_LEDGER.batch
    kept = select(func.sum(table.c.size)).where(
        table.c.kind == KIND, table.c.forgotten_at.is_(None)
    )
    used = (session.scalar(kept) or 0) + sum(path.lstat().st_size for path in folder.iterdir())
    free = shutil.disk_usage(folder).free - settings.disk_reserve_mb * MEGABYTE
    return min(settings.imports_quota_mb * MEGABYTE - int(used), free)


def _receive(stream: Incoming, path: Path, settings: Settings, *, left: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            _refuse(size, settings, left=left)
            target.write(chunk)
            digest.update(chunk)
        target.flush()
        os.fsync(target.fileno())
    return size, digest.hexdigest()


def _refuse(size: int, settings: Settings, *, left: int) -> None:
    if size > settings.upload_limit_mb * MEGABYTE:
        limit = settings.upload_limit_mb
        raise InvalidError(f"The file is larger than {limit:,} MB (PORTAL_UPLOAD_LIMIT_MB).")
    if size > left:
        raise InvalidError(
            f"There is no room for the file: all imports keep {settings.imports_quota_mb:,} MB "
            f"(PORTAL_IMPORTS_QUOTA_MB), and {settings.disk_reserve_mb:,} MB of the disk stay free "
            "(PORTAL_DISK_RESERVE_MB)."
        )
