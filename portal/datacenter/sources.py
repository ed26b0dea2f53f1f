"""The copies that batches read: taken once, hashed, never changed, kept for a time."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from portal.datacenter.folders import DataCenterFile
from portal.errors import ConflictError
from portal.files import CHUNK, fsync_folder, private_folder
from portal.jobs.work import Work
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from portal.settings import Settings

CHANGED = "The file was changed after it was looked at; look at it again and ask anew."
ABANDONED_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Source:
    """A copy that nobody changes; `sha256` in hex."""

    path: Path
    size: int
    sha256: str


def sources_folder(settings: Settings) -> Path:
    """Where the copies of all batches are kept."""
    return settings.data / "batches"


def keep_source(work: Work, file: DataCenterFile, *, sha256: str = "") -> Source:
    """Copy `file` for the job; raises ConflictError where it is not the one with `sha256`.

    Each attempt copies anew, under a name of its own; what an earlier one left is swept later.
    """
    folder = private_folder(sources_folder(work.runtime.settings))
    target = folder / f"{work.claim.job_id}-{work.claim.token}"
    source = _copy(file.path, target, work)
    if sha256 and source.sha256 != sha256:
        target.unlink()
        raise ConflictError(CHANGED)
    fsync_folder(folder)
    return source


def sweep_sources(runtime: Runtime) -> int:
    """Remove copies that no batch reads any more; returns how many."""
    folder = sources_folder(runtime.settings)
    if not folder.is_dir():
        return 0
    before = runtime.clock().timestamp() - ABANDONED_SECONDS
    old = [path for path in folder.iterdir() if path.lstat().st_mtime < before]
    wanted = _wanted(runtime)
    gone = [path for path in old if str(path) not in wanted]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _copy(path: Path, target: Path, work: Work) -> Source:
    digest, size = hashlib.sha256(), 0
    total = path.stat(follow_symlinks=False).st_size
    reading = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as copy:
        while chunk := source.read(CHUNK):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            work.progress(stage="Copying the file", done=size, total=total, unit="bytes")
            work.checkpoint()
        copy.flush()
        os.fsync(copy.fileno())
    return Source(path=target, size=size, sha256=digest.hexdigest())


def _wanted(runtime: Runtime) -> set[str]:
    table = PORTAL_LEDGER.batch
    with runtime.reads() as session:
        return set(session.scalars(select(table.c.file_path).where(table.c.forgotten_at.is_(None))))
