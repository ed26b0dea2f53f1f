"""Which files a portal keeps. Each area that keeps files is one line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.backups.storage_files import storage_files
from portal.imports.files import needed_files
from portal.jobs.models import Job
from portal.projects.models import ProjectFile
from portal.projects.storage import stored_path
from portal.rows.copies import kept_sources
from portal.rows.models import PORTAL_LEDGER
from portal.settings import Settings

AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A file that is kept, with the SHA-256 that its row knows, and what people call it.

    The data centre's files have no SHA-256 and a `place`: where a restore puts them in the data
    folder.
    """

    path: Path
    called: str
    sha256: str = ""
    place: str = ""


def kept_files(session: Session, settings: Settings) -> Iterator[KeptFile]:
    """All files that the database of `session` names, and those of the data centre's storage."""
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


def _of_data_center(session: Session, settings: Settings) -> Iterator[KeptFile]:
    for file in storage_files(session, settings):
        yield KeptFile(path=file.path, called=file.called, place=file.place)


def _of_batches(session: Session, settings: Settings) -> Iterator[KeptFile]:
    if inspect(session.connection()).has_table(PORTAL_LEDGER.batch.name):
        for source in kept_sources(session, settings):
            called = f"{source.path.name}, a file as a batch read it"
            yield KeptFile(path=source.path, sha256=source.sha256, called=called)


def _of_imports(session: Session, settings: Settings) -> Iterator[KeptFile]:
    if inspect(session.connection()).has_table(Job.__tablename__):
        for source in needed_files(session, settings):
            called = f"{source.path.name}, a file that waits to be imported"
            yield KeptFile(path=source.path, sha256=source.sha256, called=called)


_PARTS: tuple[Callable[[Session, Settings], Iterator[KeptFile]], ...] = (
    _of_projects,
    _artifacts,
    _of_data_center,
    _of_batches,
    _of_imports,
)
