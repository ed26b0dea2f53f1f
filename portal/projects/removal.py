"""Removing a project that holds nothing, so that all of it could be made again."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import ConflictError
from portal.jobs.models import Job
from portal.projects.models import Project, ProjectFile, ProjectMember, ProjectPage, ProjectRole
from portal.projects.rights import Right
from portal.projects.service import SUBJECT, get_standing, record_change


def remove_empty_project(
    session: Session, *, actor: Actor, project_id: str, now: datetime, address: str = ""
) -> None:
    """Remove a project with its owner's membership; raises what `check_empty` does."""
    project = get_standing(session, actor=actor, project_id=project_id, right=Right.MANAGE).project
    session.refresh(project, with_for_update=True)  # nothing comes into it meanwhile
    check_empty(session, actor=actor, project_id=project_id)
    record_change(
        session,
        actor=actor,
        action="project.remove",
        project_id=project_id,
        now=now,
        address=address,
        detail={"title": project.title, "policy": project.policy},
    )
    session.delete(project)
    session.flush()
    session.expire_all()  # its members went with it


def check_empty(session: Session, *, actor: Actor, project_id: str) -> None:
    """Raise ConflictError where a project has pages, files, jobs or members besides its owner.

    Raises NotFoundError or ForbiddenError for who may not manage it.
    """
    project = get_standing(session, actor=actor, project_id=project_id, right=Right.MANAGE).project
    held = list(_held(session, project))
    if held:
        raise ConflictError(
            f"The project {project_id!r} still holds {' and '.join(held)}; "
            "only an empty project can be removed."
        )


def _held(session: Session, project: Project) -> Iterator[str]:
    """What would not come back; jobs, because their files are for who made them."""
    if _count(session, ProjectPage.project_id == project.id):
        yield "pages"
    if _count(session, ProjectFile.project_id == project.id):
        yield "files"
    if _members(session, project.id) != _owner_alone(project):
        yield "members"
    if _count(session, Job.subject_kind == SUBJECT, Job.subject_id == project.id):
        yield "exports"


def _members(session: Session, project_id: str) -> list[tuple[int, str]]:
    query = select(ProjectMember.user_id, ProjectMember.role)
    rows = session.execute(query.where(ProjectMember.project_id == project_id))
    return [(row.user_id, row.role) for row in rows]


def _owner_alone(project: Project) -> list[tuple[int, str]]:
    return [] if project.created_by is None else [(project.created_by, ProjectRole.ADMIN)]


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
