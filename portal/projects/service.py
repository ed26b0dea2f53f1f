"""Projects: making them, listing and finding what one may see, changing them. Services flush."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.projects.models import (
    Policy,
    Project,
    ProjectFile,
    ProjectMember,
    ProjectPage,
    ProjectRole,
)
from portal.projects.rights import Right, check, may, missing
from portal.projects.sight import membership, visible

ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
TITLE_LENGTH = 255
SUBJECT = "project"
RESERVED = frozenset({"new"})  # /projects/new is a page
ID_RULE = (
    "A project's id is up to 100 small letters, digits, dots, hyphens and underscores, "
    "and begins with a letter or digit."
)
_NOT_IN_ID = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A project in a list, with how much it holds and what the actor is in it."""

    project: Project
    role: ProjectRole | None
    pages: int
    files: int
    members: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A project as one actor stands to it."""

    project: Project
    role: ProjectRole | None
    actor: Actor

    def may(self, right: Right) -> bool:
        """Say whether the actor may do this here."""
        return may(self.actor, right, policy=Policy(self.project.policy), role=self.role)


def id_from(name: str) -> str:
    """The project id that a folder's name suggests; may still be taken, or empty."""
    return _NOT_IN_ID.sub("-", name.lower()).strip("-._")[:100]


def checked_id(project_id: str) -> str:
    """Return `project_id` if it can be one; raise InvalidError otherwise."""
    if not ID_PATTERN.fullmatch(project_id) or project_id.endswith("."):
        raise InvalidError(ID_RULE)
    if project_id in RESERVED:
        raise InvalidError(f"The id {project_id!r} means a page of Portal; choose another.")
    return project_id


def checked_title(title: str) -> str:
    """Return `title` on one line if a project can have it; raise InvalidError otherwise."""
    plain = " ".join(title.split())
    if not plain or len(plain) > TITLE_LENGTH:
        raise InvalidError(f"A project needs a title of at most {TITLE_LENGTH} characters.")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in plain):
        raise InvalidError("The title has a character that cannot be seen; leave it out.")
    return plain


def check_new_project(session: Session, *, actor: Actor, project_id: str) -> None:
    """Raise ForbiddenError, InvalidError or ConflictError where `actor` cannot make this one."""
    if not actor.may(Permission.PROJECTS_CREATE):
        raise ForbiddenError("Only members may create projects; ask an administrator.")
    if session.get(Project, checked_id(project_id)) is not None:
        raise ConflictError(f"There is a project {project_id!r} already; choose another id.")


def create_project(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    title: str,
    policy: Policy = Policy.MEDIUM,
    now: datetime,
    address: str = "",
    loading: bool = False,
) -> Project:
    """Make an empty project; its creator becomes ProjectAdmin.

    With `loading` nobody sees it yet. Raises ForbiddenError, InvalidError, ConflictError.
    """
    check_new_project(session, actor=actor, project_id=project_id)
    project = Project(
        id=project_id,
        title=checked_title(title or project_id),
        policy=policy,
        created_at=now,
        created_by=actor.user_id,
        updated_at=now,
        loading_at=now if loading else None,
    )
    session.add(project)
    session.flush()
    if actor.user_id is not None:
        session.add(_creator(project_id, actor.user_id, now))
    record_change(
        session,
        actor=actor,
        action="project.create",
        project_id=project_id,
        now=now,
        address=address,
        detail={"policy": str(policy)},
    )
    session.flush()
    return project


def _creator(project_id: str, user_id: int, now: datetime) -> ProjectMember:
    return ProjectMember(
        project_id=project_id, user_id=user_id, role=ProjectRole.ADMIN, joined_at=now
    )


def find_standing(session: Session, *, actor: Actor, project_id: str) -> Standing | None:
    """A project as `actor` stands to it, whatever he may do there; None where there is none."""
    row = session.execute(
        select(Project, ProjectMember.role)
        .outerjoin(ProjectMember, membership(actor))
        .where(Project.id == project_id, Project.loading_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    return Standing(project=row[0], role=ProjectRole(row[1]) if row[1] else None, actor=actor)


def get_standing(
    session: Session, *, actor: Actor, project_id: str, right: Right = Right.VIEW
) -> Standing:
    """The project, if `actor` has `right` in it; raises NotFoundError or ForbiddenError."""
    standing = find_standing(session, actor=actor, project_id=project_id)
    if standing is None:
        raise NotFoundError(missing(project_id))
    policy = Policy(standing.project.policy)
    check(actor, right, policy=policy, role=standing.role, project_id=project_id)
    return standing


def has_right(session: Session, *, actor: Actor, project_id: str, right: Right) -> bool:
    """Say whether `actor` has `right` in a project; an unknown project gives none."""
    standing = find_standing(session, actor=actor, project_id=project_id)
    return standing is not None and standing.may(right)


def list_projects(
    session: Session,
    *,
    actor: Actor,
    text: str = "",
    policy: Policy | None = None,
    after: str = "",
    limit: int = 50,
) -> list[Listed]:
    """Projects that `actor` may see, by id, from after `after`; `text` is in id or title."""
    query = (
        select(Project, ProjectMember.role)
        .outerjoin(ProjectMember, membership(actor))
        .where(visible(actor), Project.id > after)
        .order_by(Project.id)
        .limit(limit)
    )
    if policy is not None:
        query = query.where(Project.policy == policy)
    if text:
        query = query.where(
            or_(
                Project.id.icontains(text, autoescape=True),
                Project.title.icontains(text, autoescape=True),
            )
        )
    rows = session.execute(query).all()
    return _with_counts(session, [(row[0], row[1]) for row in rows])


def count_projects(session: Session, actor: Actor) -> int:
    """How many projects `actor` may see."""
    query = (
        select(func.count())
        .select_from(Project)
        .outerjoin(ProjectMember, membership(actor))
        .where(visible(actor))
    )
    return session.scalar(query) or 0


def change_settings(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    title: str,
    policy: Policy,
    now: datetime,
    address: str = "",
) -> Project:
    """Give a project another title or policy; raises what `get_standing` does."""
    project = get_standing(session, actor=actor, project_id=project_id, right=Right.MANAGE).project
    before = {"title": project.title, "policy": project.policy}
    project.title, project.policy, project.updated_at = checked_title(title), policy, now
    record_change(
        session,
        actor=actor,
        action="project.change",
        project_id=project_id,
        now=now,
        address=address,
        detail={"before": before, "after": {"title": project.title, "policy": str(policy)}},
    )
    session.flush()
    return project


def record_change(
    session: Session,
    *,
    actor: Actor,
    action: str,
    project_id: str,
    now: datetime,
    address: str = "",
    detail: dict[str, object] | None = None,
) -> None:
    """Write the audit row of a change to a project."""
    record(
        session,
        actor=actor,
        action=action,
        object_kind=SUBJECT,
        object_id=project_id,
        now=now,
        address=address,
        detail=detail,
    )


def _with_counts(session: Session, rows: list[tuple[Project, str | None]]) -> list[Listed]:
    ids = [project.id for project, _ in rows]
    pages, files, members = (
        _counts(session, table, ids) for table in (ProjectPage, ProjectFile, ProjectMember)
    )
    return [
        Listed(
            project=project,
            role=ProjectRole(role) if role else None,
            pages=pages.get(project.id, 0),
            files=files.get(project.id, 0),
            members=members.get(project.id, 0),
        )
        for project, role in rows
    ]


def _counts(
    session: Session,
    table: type[ProjectPage] | type[ProjectFile] | type[ProjectMember],
    ids: list[str],
) -> dict[str, int]:
    rows = session.execute(
        select(table.project_id, func.count())
        .where(table.project_id.in_(ids))
        .group_by(table.project_id)
    )
    return {row[0]: row[1] for row in rows}
