"""Who may do what in a project: every policy with every role."""

import pytest

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import ForbiddenError, NotFoundError
from portal.projects.models import Policy, ProjectRole
from portal.projects.rights import Right, check, may

ANNA = Actor(user_id=1, name="anna", roles=frozenset({Role.MEMBER}))
ADMIN = Actor(user_id=2, name="boss", roles=frozenset({Role.ADMIN}))
GONE = Actor(user_id=2, name="boss", roles=frozenset({Role.ADMIN}), enabled=False)
V, E, X, M = Right.VIEW, Right.EDIT, Right.EXPORT, Right.MANAGE


@pytest.mark.parametrize(
    ("policy", "role", "rights"),
    [
        (Policy.OPEN, None, {V, E}),
        (Policy.MEDIUM, None, {V}),
        (Policy.CLOSED, None, set()),
        (Policy.OPEN, ProjectRole.MEMBER, {V, E}),
        (Policy.MEDIUM, ProjectRole.MEMBER, {V, E}),
        (Policy.CLOSED, ProjectRole.MEMBER, {V, E}),
        (Policy.OPEN, ProjectRole.ADMIN, {V, E, X, M}),
        (Policy.MEDIUM, ProjectRole.ADMIN, {V, E, X, M}),
        (Policy.CLOSED, ProjectRole.ADMIN, {V, E, X, M}),
    ],
)
def test_policy_and_role_decide(
    policy: Policy, role: ProjectRole | None, rights: set[Right]
) -> None:
    assert {right for right in Right if may(ANNA, right, policy=policy, role=role)} == rights


@pytest.mark.parametrize("actor", [ADMIN, SYSTEM])
@pytest.mark.parametrize("policy", list(Policy))
def test_the_portals_admins_may_everything(actor: Actor, policy: Policy) -> None:
    assert all(may(actor, right, policy=policy, role=None) for right in Right)


def test_a_disabled_account_may_nothing() -> None:
    rights = [may(GONE, right, policy=Policy.OPEN, role=ProjectRole.ADMIN) for right in Right]
    assert not any(rights)


def test_what_one_may_not_see_is_said_not_to_be_there() -> None:
    with pytest.raises(NotFoundError):
        check(ANNA, Right.EXPORT, policy=Policy.CLOSED, role=None, project_id="p")


def test_what_one_may_see_but_not_do_is_forbidden() -> None:
    with pytest.raises(ForbiddenError, match="ProjectAdmin"):
        check(ANNA, Right.EXPORT, policy=Policy.CLOSED, role=ProjectRole.MEMBER, project_id="p")
