"""Where a project's files are kept: immutable, under internal names, known by size and SHA-256."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import ConflictError
from portal.files import CHUNK, private_folder, remove_tree
from portal.jobs.models import ACTIVE, Job
from portal.projects.models import Project, ProjectFile
from portal.runtime import Runtime
from portal.settings import Settings

GRACE = timedelta(hours=1)  # a file is copied before its row is committed
MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A file that is safe on disk; no row may know it yet."""

    stored: str
    size: int
    sha256: str


def project_folder(settings: Settings, project_id: str) -> Path:
    """Where the files of a project are kept."""
    return settings.data / "projects" / project_id


def stored_path(settings: Settings, *, project_id: str, stored: str) -> Path:
    """Where the file with the internal name `stored` is kept."""
    return project_folder(settings, project_id) / stored


def keep(handle: int, *, folder: Path, checkpoint: Callable[[], None] = lambda: None) -> Stored:
    """Copy an open file into `folder` under a new internal name, readable by its owner only.

    The copy is durable once `folder` itself is fsynced; it counts once a row names it.
    """
    name = uuid4().hex
    target = os.open(
        folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    digest, size = hashlib.sha256(), 0
    try:
        while chunk := os.read(handle, CHUNK):
            _write_all(target, chunk)
            digest.update(chunk)
            size += len(chunk)
            checkpoint()
        os.fsync(target)
    except BaseException:
        (folder / name).unlink(missing_ok=True)
        raise
    finally:
        os.close(target)
    return Stored(stored=name, size=size, sha256=digest.hexdigest())


def check_room(settings: Settings, *, coming: int, project_bytes: int) -> None:
    """Raise ConflictError where `coming` bytes exceed the project's quota or the disk's reserve."""
    quota = settings.project_quota_mb * MEGABYTE
    if project_bytes > quota:
        raise ConflictError(
            f"The project would hold {project_bytes / MEGABYTE:,.0f} MB; "
            f"its quota is {settings.project_quota_mb:,} MB (PORTAL_PROJECT_QUOTA_MB)."
        )
    free = shutil.disk_usage(private_folder(settings.data / "projects")).free
    reserve = settings.disk_reserve_mb * MEGABYTE
    if free - coming < reserve:
        raise ConflictError(
            f"The disk has {free / MEGABYTE:,.0f} MB left; {coming / MEGABYTE:,.0f} MB are needed "
            f"and {settings.disk_reserve_mb:,} MB stay free (PORTAL_DISK_RESERVE_MB)."
        )


def forget_folder(settings: Settings, project_id: str) -> None:
    """Remove all files of a project that is gone."""
    remove_tree(project_folder(settings, project_id))


def sweep(runtime: Runtime) -> int:
    """Remove stored files that no row knows (replaced ones, remains of crashes); returns how many.

    A project that is being loaded or exported is left alone: its export still reads the files of
    its snapshot.
    """
    root = runtime.settings.data / "projects"
    folders = [entry for entry in root.iterdir() if entry.is_dir()] if root.is_dir() else []
    before = (runtime.clock() - GRACE).timestamp()
    removed = 0
    for folder in folders:
        with runtime.reads() as session:
            strays = [] if _is_busy(session, folder.name) else _strays(session, folder, before)
        for path in strays:
            path.unlink(missing_ok=True)
        removed += len(strays)
    return removed


def _write_all(target: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(target, view) :]


def _is_busy(session: Session, project_id: str) -> bool:
    loading = session.scalar(select(Project.loading_at).where(Project.id == project_id))
    job = session.scalar(
        select(Job.number)
        .where(
            Job.subject_kind == "project",
            Job.subject_id == project_id,
            Job.state.in_(ACTIVE),
        )
        .limit(1)
    )
    return loading is not None or job is not None


def _strays(session: Session, folder: Path, before: float) -> list[Path]:
    with os.scandir(folder) as entries:
        old = {
            entry.name for entry in entries if entry.stat(follow_symlinks=False).st_ctime < before
        }
    known = select(ProjectFile.stored).where(ProjectFile.project_id == folder.name)
    return [folder / name for name in sorted(old.difference(session.scalars(known)))]
