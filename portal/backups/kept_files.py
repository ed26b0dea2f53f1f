"""Which files the rows of a database name. Each area that keeps files is one line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.projects.models import ProjectFile
from portal.projects.storage import stored_path
from portal.settings import Settings

AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A file that a row names, with the SHA-256 that the row knows, and what people call it."""

    path: Path
    sha256: str
    called: str


def kept_files(session: Session, settings: Settings) -> Iterator[KeptFile]:
    """All files that the database of `session` names."""
    for part in _PARTS:
        yield from part(session, settings)


def _of_projects(session: Session, settings: Settings) -> Iterator[KeptFile]:
    rows = session.execute(
        select(
            ProjectFile.project_id, ProjectFile.path, ProjectFile.stored, ProjectFile.sha256
        ).execution_options(yield_per=AT_ONCE)
    )
    for row in rows:
        path = stored_path(settings, project_id=row.project_id, stored=row.stored)
        called = f"{row.path} of the project {row.project_id}"
        yield KeptFile(path=path, sha256=row.sha256, called=called)


def _artifacts(session: Session, settings: Settings) -> Iterator[KeptFile]:
    rows = session.execute(
        select(Artifact.id, Artifact.name, Artifact.sha256).execution_options(yield_per=AT_ONCE)
    )
    for row in rows:
        path = artifact_path(settings, row.id)
        yield KeptFile(path=path, sha256=row.sha256, called=f"the artifact {row.name}")


_PARTS: tuple[Callable[[Session, Settings], Iterator[KeptFile]], ...] = (_of_projects, _artifacts)
