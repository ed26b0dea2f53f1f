"""Who may do what in a project: its policy and the actor's role in it decide. Pure."""

from collections.abc import Callable
from enum import StrEnum

from portal.accounts.permissions import Actor, Permission
from portal.errors import ForbiddenError, NotFoundError
from portal.projects.models import Policy, ProjectRole


class Right(StrEnum):
    """What may be done with a project."""

    VIEW = "view"
    EDIT = "edit"
    EXPORT = "export"
    MANAGE = "manage"


REFUSALS = {
    Right.EDIT: "You may see this project, but not change its pages; ask to become a member.",
    Right.EXPORT: "Only a ProjectAdmin may export this project; ask one.",
    Right.MANAGE: "Only a ProjectAdmin may do this; ask one.",
}


def may(actor: Actor, right: Right, *, policy: Policy, role: ProjectRole | None) -> bool:
    """Say whether `actor`, who has `role` in a project with `policy`, may do this."""
    if not actor.enabled:
        return False
    return actor.may(Permission.PROJECTS_MANAGE_ALL) or _RULES[right](policy, role)


def check(
    actor: Actor, right: Right, *, policy: Policy, role: ProjectRole | None, project_id: str
) -> None:
    """Raise NotFoundError where the project is not to be seen, ForbiddenError where it is."""
    if not may(actor, Right.VIEW, policy=policy, role=role):
        raise NotFoundError(missing(project_id))
    if not may(actor, right, policy=policy, role=role):
        raise ForbiddenError(REFUSALS[right])


def missing(project_id: str) -> str:
    """What is said of a project that is not there, or not for this actor to know of."""
    return f"There is no project {project_id!r}."


def _may_view(policy: Policy, role: ProjectRole | None) -> bool:
    return policy is not Policy.CLOSED or role is not None


def _may_edit(policy: Policy, role: ProjectRole | None) -> bool:
    return policy is Policy.OPEN or role is not None


def _is_admin(_policy: Policy, role: ProjectRole | None) -> bool:
    return role is ProjectRole.ADMIN


_RULES: dict[Right, Callable[[Policy, ProjectRole | None], bool]] = {
    Right.VIEW: _may_view,
    Right.EDIT: _may_edit,
    Right.EXPORT: _is_admin,
    Right.MANAGE: _is_admin,
}
