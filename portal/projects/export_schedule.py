"""Exports on a schedule: of which projects one may have them, and what is asked for."""

from collections.abc import Iterator
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.errors import NotFoundError
from portal.jobs.kinds import Args, Choice, Order, Scheduling
from portal.projects.export_content import ExportOptions
from portal.projects.exports import title_of
from portal.projects.models import Project, ProjectMember, ProjectRole
from portal.projects.rights import missing
from portal.projects.service import SUBJECT

OFFERED = 500


def offered(session: Session, actor: Actor) -> Iterator[Choice]:
    """The projects that `actor` may export, by id, the first 500 of them; with all options on."""
    query = select(Project.id, Project.title).where(Project.loading_at.is_(None))
    if not actor.may(Permission.PROJECTS_MANAGE_ALL):
        query = query.join(ProjectMember, ProjectMember.project_id == Project.id).where(
            ProjectMember.user_id == actor.user_id, ProjectMember.role == ProjectRole.ADMIN
        )
    for row in session.execute(query.order_by(Project.id).limit(OFFERED)):
        args = {"project_id": row.id, **asdict(ExportOptions())}
        yield Choice(args=args, label=f"{row.title} ({row.id})")


def ordered(session: Session, args: Args) -> Order:
    """The order for one export; raises NotFoundError where the project is gone."""
    project_id = str(args["project_id"])
    if session.get(Project, project_id) is None:
        raise NotFoundError(missing(project_id))
    return Order(title=title_of(project_id), subject_kind=SUBJECT, subject_id=project_id)


SCHEDULING = Scheduling(choices=offered, order=ordered)
