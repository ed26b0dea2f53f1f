"""A project's export: asking for one, building the zip from one snapshot, handing it out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from portal import __version__
from portal.accounts.permissions import Actor
from portal.artifacts.models import Artifact
from portal.artifacts.retention import find_surplus, remove_surplus
from portal.artifacts.service import (
    Owner,
    artifacts_of_owner,
    forget,
    measure,
    register,
    remove_files,
)
from portal.files import private_folder
from portal.jobs.kinds import Kinds
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import Waker
from portal.jobs.work import Work
from portal.projects.archive import ArchiveReport, write_zip
from portal.projects.export_content import ExportContent, ExportOptions, Stage
from portal.projects.rights import Right
from portal.projects.service import SUBJECT, get_standing, record_change
from portal.projects.snapshot import Snapshot
from portal.runtime import Runtime

KIND = "projects.export"
ARTIFACT_KIND = "project_export"
MEDIA_TYPE = "application/zip"
LOCAL_URL = "http://127.0.0.1:8000"
UNITS = {Stage.PAGES: "pages", Stage.HISTORY: "versions", Stage.SETTINGS: ""}


def create_export(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    options: ExportOptions,
    kinds: Kinds,
    waker: Waker,
    now: datetime,
    address: str = "",
) -> Submitted:
    """Ask for an export; while one is active, that one is joined.

    Raises NotFoundError, or ForbiddenError where `actor` is no ProjectAdmin.
    """
    get_standing(session, actor=actor, project_id=project_id, right=Right.EXPORT)
    submitted = submit_export(
        session,
        actor=actor,
        project_id=project_id,
        options=options,
        kinds=kinds,
        waker=waker,
        now=now,
    )
    if not submitted.joined:
        record_change(
            session,
            actor=actor,
            action="project.export",
            project_id=project_id,
            now=now,
            address=address,
            detail={"job": submitted.job.id, **asdict(options)},
        )
    return submitted


def submit_export(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    options: ExportOptions,
    kinds: Kinds,
    waker: Waker,
    now: datetime,
) -> Submitted:
    """Queue an export without a look at the project; the worker looks when it begins."""
    return submit(
        session,
        kind=kinds.get(KIND),
        actor=actor,
        args={"project_id": project_id, **asdict(options)},
        title=title_of(project_id),
        subject=Subject(kind=SUBJECT, id=project_id),
        waker=waker,
        now=now,
    )


def title_of(project_id: str) -> str:
    """How people see the job of an export."""
    return f"Export of project {project_id}"


def list_exports(session: Session, *, project_id: str, limit: int) -> list[Artifact]:
    """The newest finished exports of a project; the caller has checked the right."""
    owner = Owner(kind=SUBJECT, id=project_id)
    return artifacts_of_owner(session, owner=owner, kind=ARTIFACT_KIND)[:limit]


def build_export(
    project_id: str,
    *,
    folder: Path,
    runtime: Runtime,
    options: ExportOptions | None = None,
    made_by: str = "system",
    progress: Callable[[Stage, int, int], None] = lambda *_: None,
    checkpoint: Callable[[], None] = lambda: None,
    reported: Callable[[ArchiveReport], None] = lambda _: None,
) -> Path:
    """Write `<folder>/project_exports/<id>/<id>.zip`, verified, from one snapshot of the project.

    `reported` is told at the end what was written. Raises NotFoundError where there is no such
    project.
    """
    target = folder / "project_exports" / project_id / f"{project_id}.zip"
    with _snapshot(runtime) as session:
        snapshot = Snapshot(session, project_id=project_id, settings=runtime.settings)
        content = _content(snapshot, runtime, options=options or ExportOptions(), made_by=made_by)
        private_folder(target.parent)
        reported(write_zip(target, content, progress=progress, checkpoint=checkpoint))
    return target


def save_export(work: Work, *, project_id: str, options: ExportOptions) -> None:
    """Build the export of a job and hand it out: artifact and success are one transaction."""

    def tell(stage: Stage, done: int, total: int) -> None:
        work.progress(stage=stage, done=done, total=total, unit=UNITS.get(stage, "bytes"))

    result: dict[str, Any] = {}
    path = build_export(
        project_id,
        folder=work.folder,
        runtime=work.runtime,
        options=options,
        made_by=work.actor.name,
        progress=tell,
        checkpoint=work.checkpoint,
        reported=lambda report: result.update(entries=report.entries, dead_links=report.dead_links),
    )
    file = measure(path, checkpoint=work.checkpoint)
    settings, now = work.runtime.settings, work.runtime.clock()
    owner = Owner(kind=SUBJECT, id=project_id)
    with work.completion(result) as session:
        artifact = register(
            session,
            file=file,
            kind=ARTIFACT_KIND,
            owner=owner,
            name=download_name(project_id, now),
            media_type=MEDIA_TYPE,
            settings=settings,
            now=now,
            job_id=work.claim.job_id,
        )
        result |= _facts(artifact)
        surplus = find_surplus(
            session, kind=ARTIFACT_KIND, newest=settings.exports_kept, owner=owner
        )
        forget(session, surplus)
    remove_files(settings, surplus)


def keep_newest(runtime: Runtime) -> int:
    """Remove exports beyond each project's newest ones; returns how many."""
    return remove_surplus(runtime, kind=ARTIFACT_KIND, newest=runtime.settings.exports_kept)


def download_name(project_id: str, moment: datetime) -> str:
    """How people see an export: `p3-2026-11-21_140305Z.zip`."""
    return f"{project_id}-{moment.astimezone(UTC):%Y-%m-%d_%H%M%SZ}.zip"


@contextmanager
def _snapshot(runtime: Runtime) -> Iterator[Session]:
    """A transaction that sees the database as it is now, whatever is written meanwhile."""
    with runtime.reads() as session:
        if runtime.engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


def _content(
    snapshot: Snapshot, runtime: Runtime, *, options: ExportOptions, made_by: str
) -> ExportContent:
    return ExportContent(
        project=snapshot.project,
        page_names=snapshot.page_names(),
        file_names=snapshot.file_names(),
        pages=snapshot.pages(),
        files=snapshot.files(),
        history=snapshot.history(),
        version_count=snapshot.version_count(),
        members=snapshot.members(),
        options=options,
        portal_url=runtime.settings.public_url or LOCAL_URL,
        portal_version=__version__,
        made_at=runtime.clock(),
        made_by=made_by,
    )


def _facts(artifact: Artifact) -> dict[str, Any]:
    return {
        "artifact": artifact.id,
        "name": artifact.name,
        "size": artifact.size,
        "sha256": artifact.sha256,
    }
