"""API tokens: whom they let in, for how long, and with which rights."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from portal.accounts import service as users
from portal.accounts.models import ApiToken, User
from portal.accounts.permissions import SYSTEM, Actor, Permission, Role
from portal.accounts.tokens import bearer, service
from portal.accounts.tokens.commands import token as token_command
from portal.accounts.tokens.service import MOST, PREFIX, create_token
from portal.audit.models import AuditEntry
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.lookups import LookUp
from portal.runtime import Runtime
from tests.accounts.conftest import MovableClock

MakeUser = Callable[..., User]
ADDRESS = "192.0.2.9"


@pytest.fixture
def look_up(runtime: Runtime) -> LookUp:
    return bearer.open_look_up(runtime.engine)


@dataclass
class Door:
    """Makes tokens and tries them."""

    runtime: Runtime
    look_up: LookUp
    made: list[ApiToken] = field(default_factory=list)

    def make(self, user: User, *scopes: Permission, days: int | None = None) -> str:
        with self.runtime.sessions.begin() as session:
            made, secret = create_token(
                session,
                session.get_one(User, user.id),
                actor=SYSTEM,
                name="nightly",
                scopes=scopes,
                days=days,
                now=self.runtime.clock(),
            )
        self.made.append(made)
        return secret

    def actor(self, secret: str) -> Actor | None:
        found = bearer.find_bearer(self.runtime, self.look_up, secret, address=ADDRESS)
        return None if found is None else found.actor

    def row(self) -> ApiToken:
        with self.runtime.reads() as session:
            return session.get_one(ApiToken, self.made[-1].id)


@pytest.fixture
def door(runtime: Runtime, look_up: LookUp) -> Door:
    return Door(runtime, look_up)


def test_a_token_acts_for_its_user(door: Door, make_user: MakeUser) -> None:
    anna = make_user("anna", Role.DATA_MANAGER)
    actor = door.actor(door.make(anna))
    assert actor is not None
    assert (actor.user_id, actor.name) == (anna.id, "anna")


def test_without_scopes_it_may_sign_in_and_no_more(door: Door, make_user: MakeUser) -> None:
    actor = door.actor(door.make(make_user("anna", Role.ADMIN)))
    assert actor is not None
    assert actor.permissions == {Permission.SIGN_IN}


def test_it_may_what_both_its_scopes_and_its_users_roles_name(
    door: Door, make_user: MakeUser, runtime: Runtime
) -> None:
    anna = make_user("anna", Role.IMPORT_MANAGER)
    secret = door.make(anna, Permission.IMPORTS_RUN, Permission.DATACENTER_VIEW)
    with runtime.sessions.begin() as session:
        row = session.get_one(User, anna.id)
        users.set_roles(session, row, actor=SYSTEM, roles=[Role.DATA_MANAGER], now=runtime.clock())
    actor = door.actor(secret)
    assert actor is not None
    assert actor.permissions == {Permission.SIGN_IN, Permission.DATACENTER_VIEW}


def test_nobody_makes_a_token_that_may_more_than_its_user(door: Door, make_user: MakeUser) -> None:
    anna = make_user("anna", Role.DATA_MANAGER)
    with pytest.raises(ForbiddenError, match=r"imports\.run"):
        door.make(anna, Permission.IMPORTS_RUN)


def test_nobody_gives_a_token_what_he_may_not_do(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna", Role.IMPORT_MANAGER)
    weak = Actor(user_id=99, name="weak", roles=frozenset({Role.MEMBER}))
    with runtime.sessions.begin() as session, pytest.raises(ForbiddenError, match="cannot give"):
        create_token(
            session,
            session.get_one(User, anna.id),
            actor=weak,
            name="nightly",
            scopes=[Permission.IMPORTS_RUN],
            days=None,
            now=runtime.clock(),
        )


def test_only_the_hash_of_the_secret_is_kept(door: Door, make_user: MakeUser) -> None:
    secret = door.make(make_user())
    row = door.row()
    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 43  # 256 bits in base64
    assert row.secret_hash == service.hash_secret(secret)
    assert secret not in repr(vars(row))


def test_the_log_tells_who_made_which_token_and_not_its_secret(
    door: Door, make_user: MakeUser, runtime: Runtime
) -> None:
    secret = door.make(make_user("anna", Role.DATA_MANAGER), Permission.DATACENTER_VIEW)
    with runtime.reads() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.action == "token.create"
    assert entry.detail["scopes"] == ["datacenter.view", "portal.sign_in"]
    assert secret.removeprefix(PREFIX) not in json.dumps(entry.detail)


@pytest.mark.parametrize(
    "wrong", ["", "portal_", "portal_wrong", "naïve", "portal_naïve", "x" * 99]
)
def test_what_is_no_token_lets_nobody_in(door: Door, make_user: MakeUser, wrong: str) -> None:
    door.make(make_user())
    assert door.actor(wrong) is None


def test_a_token_ends_when_it_was_said_to(
    door: Door, make_user: MakeUser, clock: MovableClock
) -> None:
    secret = door.make(make_user(), days=1)
    clock.move(hours=23)
    assert door.actor(secret) is not None
    clock.move(hours=1)
    assert door.actor(secret) is None


def test_a_revoked_token_lets_nobody_in(door: Door, make_user: MakeUser, runtime: Runtime) -> None:
    secret = door.make(make_user())
    with runtime.sessions.begin() as session:
        row = session.get_one(ApiToken, door.made[-1].id)
        service.revoke_token(session, row, actor=SYSTEM, now=runtime.clock())
    assert door.actor(secret) is None


def test_a_disabled_users_token_lets_nobody_in(
    door: Door, make_user: MakeUser, runtime: Runtime
) -> None:
    anna = make_user("anna")
    secret = door.make(anna)
    with runtime.sessions.begin() as session:
        row = session.get_one(User, anna.id)
        users.disable_user(session, row, actor=SYSTEM, now=runtime.clock())
    assert door.actor(secret) is None


def test_another_password_leaves_tokens_as_they_are(
    door: Door, make_user: MakeUser, runtime: Runtime
) -> None:
    anna = make_user("anna")
    secret = door.make(anna)
    with runtime.sessions.begin() as session:
        users.give_one_time_password(session, anna.id, actor=SYSTEM, now=runtime.clock())
    assert door.actor(secret) is not None


def test_a_scope_that_no_version_knows_any_more_grants_nothing(
    door: Door, make_user: MakeUser, runtime: Runtime
) -> None:
    secret = door.make(make_user())
    with runtime.sessions.begin() as session:
        session.get_one(ApiToken, door.made[-1].id).scopes = "portal.sign_in gone.for_ever"
    actor = door.actor(secret)
    assert actor is not None
    assert actor.permissions == {Permission.SIGN_IN}


def test_when_it_was_used_is_written_at_most_once_a_minute(
    door: Door, make_user: MakeUser, clock: MovableClock
) -> None:
    secret = door.make(make_user())
    began = clock.now
    seen = []
    for seconds in (0, 30, 30):
        clock.move(seconds=seconds)
        door.actor(secret)
        seen.append(door.row().used_at)
    assert seen == [began, began, clock.now]


def test_a_user_has_so_many_tokens_and_no_more(
    door: Door, make_user: MakeUser, clock: MovableClock
) -> None:
    anna = make_user()
    for _ in range(MOST):
        door.make(anna, days=1)
    with pytest.raises(ConflictError):
        door.make(anna)
    clock.move(days=1)
    door.make(anna)


@pytest.mark.parametrize("days", [0, -1, 3651, 10**9])
def test_a_time_that_makes_no_sense_is_refused(door: Door, make_user: MakeUser, days: int) -> None:
    with pytest.raises(InvalidError):
        door.make(make_user(), days=days)


def test_nobody_gets_at_the_token_of_another(
    door: Door, make_user: MakeUser, runtime: Runtime
) -> None:
    door.make(make_user("anna"))
    mia = make_user("mia", Role.DATA_MANAGER)
    actor = Actor(user_id=mia.id, name="mia", roles=frozenset({Role.DATA_MANAGER}))
    with runtime.reads() as session, pytest.raises(NotFoundError):
        service.get_token(session, door.made[-1].id, actor=actor)


@dataclass(frozen=True)
class Shell:
    runtime: Runtime
    actor: Actor = SYSTEM
    json: bool = False
    address: str = "shell:otter"


def run(runtime: Runtime, *words: str) -> Result:
    return CliRunner().invoke(token_command, words, obj=Shell(runtime))


def test_the_shell_makes_a_token_that_works(
    runtime: Runtime, door: Door, make_user: MakeUser
) -> None:
    make_user("anna", Role.DATA_MANAGER)
    told = run(runtime, "add", "anna", "--name", "ci", "--scope", "datacenter.view", "--json")
    facts = json.loads(told.output)
    actor = door.actor(facts["secret"])
    assert actor is not None
    assert actor.permissions == {Permission.SIGN_IN, Permission.DATACENTER_VIEW}


def test_the_shell_lists_tokens_without_secrets(
    runtime: Runtime, door: Door, make_user: MakeUser
) -> None:
    secret = door.make(make_user("anna"))
    told = run(runtime, "list", "anna").output
    assert "nightly\tactive\tportal.sign_in" in told
    assert secret.removeprefix(PREFIX) not in told
    assert service.hash_secret(secret) not in told


def test_the_shell_revokes_a_token(runtime: Runtime, door: Door, make_user: MakeUser) -> None:
    secret = door.make(make_user("anna"))
    told = run(runtime, "revoke", str(door.made[-1].id), "--json")
    assert json.loads(told.output)["state"] == "revoked"
    assert door.actor(secret) is None
