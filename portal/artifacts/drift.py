"""Where disk and rows disagree about artifacts, and removing what no row knows."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path, artifacts_folder
from portal.runtime import Runtime
from portal.settings import Settings

GRACE = timedelta(hours=1)  # a file is moved just before its row is committed
_ID = re.compile(r"[0-9a-f]{32}")
_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What was found: files without a row, ids without a file, ids whose file has another size."""

    strays: tuple[Path, ...] = field(default=())
    missing: tuple[str, ...] = field(default=())
    resized: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.strays or self.missing or self.resized)


def find_drift(session: Session, settings: Settings, *, now: datetime) -> Drift:
    """Compare the artifacts on disk with their rows; files younger than an hour are let be."""
    missing, resized = _rows_without_their_file(session, settings)
    return Drift(
        strays=tuple(_strays(session, settings, now=now)),
        missing=tuple(missing),
        resized=tuple(resized),
    )


def remove_strays(runtime: Runtime) -> int:
    """Remove files among the artifacts that no row knows; returns how many."""
    with runtime.reads() as session:
        strays = list(_strays(session, runtime.settings, now=runtime.clock()))
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _strays(session: Session, settings: Settings, *, now: datetime) -> Iterator[Path]:
    for folder in _folders(settings):
        old = {path.name: path for path in _old_files(folder, before=now - GRACE)}
        known = set(session.scalars(select(Artifact.id).where(Artifact.id.startswith(folder.name))))
        yield from (path for name, path in sorted(old.items()) if name not in known)


def _folders(settings: Settings) -> list[Path]:
    root = artifacts_folder(settings)
    return sorted(entry for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []


def _old_files(folder: Path, *, before: datetime) -> Iterator[Path]:
    """Files of ours that came here before a moment (a rename sets the time of change)."""
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            if _ID.fullmatch(entry.name) and found.st_ctime < before.timestamp():
                yield Path(entry.path)


def _rows_without_their_file(session: Session, settings: Settings) -> tuple[list[str], list[str]]:
    missing: list[str] = []
    resized: list[str] = []
    rows = session.execute(select(Artifact.id, Artifact.size).execution_options(yield_per=_ROWS))
    for artifact_id, size in rows:
        try:
            found = artifact_path(settings, artifact_id).stat()
        except FileNotFoundError:
            missing.append(artifact_id)
            continue
        if found.st_size != size:
            resized.append(artifact_id)
    return missing, resized
