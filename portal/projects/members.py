"""Who belongs to a project: adding, changing and removing members. Services flush."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.names import name_key
from portal.accounts.permissions import Actor
from portal.errors import ConflictError, InvalidError
from portal.projects.models import ProjectMember, ProjectRole
from portal.projects.rights import Right
from portal.projects.service import get_standing, record_change


@dataclass(frozen=True, kw_only=True)
class Member:
    """A person in a project."""

    user_id: int
    name: str
    display_name: str
    role: ProjectRole
    joined_at: datetime


def list_members(session: Session, project_id: str) -> list[Member]:
    """The members of a project by name; the caller has checked the right to see it."""
    rows = session.execute(
        select(User.id, User.name, User.display_name, ProjectMember.role, ProjectMember.joined_at)
        .join(ProjectMember, ProjectMember.user_id == User.id)
        .where(ProjectMember.project_id == project_id)
        .order_by(User.name_key)
    )
    return [
        Member(
            user_id=row.id,
            name=row.name,
            display_name=row.display_name,
            role=ProjectRole(row.role),
            joined_at=row.joined_at,
        )
        for row in rows
    ]


def set_member(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    name: str,
    role: ProjectRole,
    now: datetime,
    address: str = "",
) -> None:
    """Make the user called `name` a member with `role`, or give the member that role.

    Raises NotFoundError, ForbiddenError, InvalidError, and ConflictError for the last admin.
    """
    get_standing(session, actor=actor, project_id=project_id, right=Right.MANAGE)
    user = _user_named(session, name)
    member = _locked_member(session, project_id, user.id)
    if member is None:
        session.add(ProjectMember(project_id=project_id, user_id=user.id, role=role, joined_at=now))
    else:
        if role is not ProjectRole.ADMIN:
            check_not_last(session, member, user.name)
        member.role = role
    record_change(
        session,
        actor=actor,
        action="project.member.set",
        project_id=project_id,
        now=now,
        address=address,
        detail={"user": user.name, "role": str(role)},
    )
    session.flush()


def remove_member(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    name: str,
    now: datetime,
    address: str = "",
) -> None:
    """Take a member out of the project; the last ProjectAdmin cannot be removed (ConflictError)."""
    get_standing(session, actor=actor, project_id=project_id, right=Right.MANAGE)
    user = _user_named(session, name)
    member = _locked_member(session, project_id, user.id)
    if member is None:
        raise InvalidError(f"{user.name} is no member of this project.")
    check_not_last(session, member, user.name)
    session.delete(member)
    record_change(
        session,
        actor=actor,
        action="project.member.remove",
        project_id=project_id,
        now=now,
        address=address,
        detail={"user": user.name, "role": member.role},
    )
    session.flush()


def check_not_last(session: Session, member: ProjectMember, name: str) -> None:
    """Raise ConflictError where `member` is the project's last admin; `name` is the user's."""
    admins = session.scalar(
        select(func.count())
        .select_from(ProjectMember)
        .where(
            ProjectMember.project_id == member.project_id,
            ProjectMember.role == ProjectRole.ADMIN,
        )
    )
    if member.role == ProjectRole.ADMIN and admins == 1:
        raise ConflictError(f"Cannot remove last admin: {name}")


def _user_named(session: Session, name: str) -> User:
    user = session.scalar(select(User).where(User.name_key == name_key(name)))
    if user is None:
        raise InvalidError(f"There is no user called {name!r}.")
    return user


def _locked_member(session: Session, project_id: str, user_id: int) -> ProjectMember | None:
    """The member; all admins of the project are locked, so that two removals cannot cross."""
    session.execute(
        select(ProjectMember.user_id)
        .where(ProjectMember.project_id == project_id, ProjectMember.role == ProjectRole.ADMIN)
        .order_by(ProjectMember.user_id)
        .with_for_update()
    ).all()
    return session.get(ProjectMember, (project_id, user_id), populate_existing=True)
