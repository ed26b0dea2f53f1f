"""Which projects an actor sees: what rights.may says of VIEW, in SQL."""

from sqlalchemy import ColumnElement, ScalarSelect, and_, or_, select

from portal.accounts.permissions import Actor, Permission
from portal.projects.models import Policy, Project, ProjectMember


def membership(actor: Actor) -> ColumnElement[bool]:
    """What joins a project with the actor's own membership of it."""
    user_id = -1 if actor.user_id is None else actor.user_id
    return and_(ProjectMember.project_id == Project.id, ProjectMember.user_id == user_id)


def visible(actor: Actor) -> ColumnElement[bool]:
    """Whether `actor` sees a project that was joined by `membership`."""
    ready = Project.loading_at.is_(None)
    if actor.may(Permission.PROJECTS_MANAGE_ALL):
        return ready
    return and_(ready, or_(Project.policy != Policy.CLOSED, ProjectMember.role.is_not(None)))


def visible_ids(actor: Actor) -> ScalarSelect[str]:
    """The ids of the projects that `actor` sees."""
    query = select(Project.id).outerjoin(ProjectMember, membership(actor))
    return query.where(visible(actor)).scalar_subquery()
