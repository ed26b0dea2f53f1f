"""Whom a project was made for: making one for somebody else, and saying later whose it is."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.permissions import Actor, Permission
from portal.errors import ForbiddenError
from portal.projects.models import Policy, Project, ProjectMember, ProjectRole
from portal.projects.rights import Right
from portal.projects.service import create_project, get_standing, record_change

OTHERS = "Only who manages all projects says that one is somebody else's; ask an administrator."


def create_project_for(
    session: Session,
    *,
    actor: Actor,
    owner: User | None,
    project_id: str,
    title: str,
    policy: Policy,
    now: datetime,
    address: str = "",
) -> Project:
    """Make a project whose only ProjectAdmin is `owner`; with None it has no member.

    Raises what `create_project` does, and ForbiddenError for somebody else's.
    """
    check_owner(actor, before=actor.user_id, owner=owner)
    project = create_project(
        session,
        actor=actor,
        project_id=project_id,
        title=title,
        policy=policy,
        now=now,
        address=address,
    )
    if _id(owner) != actor.user_id:
        project.created_by = _id(owner)
        session.execute(delete(ProjectMember).where(ProjectMember.project_id == project_id))
        if owner is not None:
            session.add(_admin(project_id, owner.id, now))
        _record(session, project, owner, actor=actor, now=now, address=address)
    return project


def set_owner(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    owner: User | None,
    now: datetime,
    address: str = "",
) -> None:
    """Say that a project is `owner`'s; nobody gains or loses a role in it.

    Raises NotFoundError or ForbiddenError.
    """
    standing = get_standing(session, actor=actor, project_id=project_id, right=Right.MANAGE)
    project = standing.project
    if project.created_by == _id(owner):
        return
    check_owner(actor, before=project.created_by, owner=owner)
    project.created_by, project.updated_at = _id(owner), now
    _record(session, project, owner, actor=actor, now=now, address=address)


def check_owner(actor: Actor, *, before: int | None, owner: User | None) -> None:
    """Raise ForbiddenError where `actor` may not give what was `before`'s to `owner`."""
    if _id(owner) != before and not actor.may(Permission.PROJECTS_MANAGE_ALL):
        raise ForbiddenError(OTHERS)


def _id(owner: User | None) -> int | None:
    return None if owner is None else owner.id


def _admin(project_id: str, user_id: int, now: datetime) -> ProjectMember:
    return ProjectMember(
        project_id=project_id, user_id=user_id, role=ProjectRole.ADMIN, joined_at=now
    )


def _record(
    session: Session,
    project: Project,
    owner: User | None,
    *,
    actor: Actor,
    now: datetime,
    address: str,
) -> None:
    record_change(
        session,
        actor=actor,
        action="project.owner",
        project_id=project.id,
        now=now,
        address=address,
        detail={"owner": None if owner is None else owner.name},
    )
    session.flush()
