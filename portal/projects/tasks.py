"""The jobs that the projects area offers."""

from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.owners import OwnerKind
from portal.jobs.kinds import BULK, Args, Kind
from portal.jobs.models import Job
from portal.jobs.work import Work
from portal.projects.export_content import ExportOptions
from portal.projects.export_schedule import SCHEDULING
from portal.projects.exports import KIND, save_export
from portal.projects.rights import Right
from portal.projects.service import SUBJECT, has_right


def export_project(work: Work, *, project_id: str, **options: Any) -> None:
    """Save a project as one zip and hand it out."""
    save_export(work, project_id=project_id, options=ExportOptions(**options))


def may_export(session: Session, actor: Actor, project_id: str) -> bool:
    """Under every policy a ProjectAdmin, or who manages all projects; the project may be gone."""
    if actor.may(Permission.PROJECTS_MANAGE_ALL):
        return True
    return has_right(session, actor=actor, project_id=project_id, right=Right.EXPORT)


def _may_view(session: Session, actor: Actor, job: Job) -> bool:
    return may_export(session, actor, job.subject_id)


def _may_run(session: Session, actor: Actor, args: Args) -> bool:
    return may_export(session, actor, str(args.get("project_id", "")))


EXPORT = Kind(
    name=KIND,
    area="projects",
    label="Project export",
    queue=BULK,
    run=export_project,
    may_view=_may_view,
    may_run=_may_run,
    restartable=True,
    schedule=SCHEDULING,
)
PROJECT_OWNER = OwnerKind(name=SUBJECT, may_download=may_export)
