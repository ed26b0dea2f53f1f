"""Users as records: what a batch may make, change and remove, and that all of it can be undone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.passwords import NOBODYS_HASH
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.accounts.processors import USERS
from portal.audit.models import AuditEntry
from portal.jobs.models import Notification
from portal.rows.processors import Acting, Checking, Mode, Record, RefusedRowError
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tabular.fields import Values
from tests.browser_like import PASSWORD

MakeUser = Callable[..., User]
RECORDS = USERS.records
BOSS = Actor(user_id=1, name="boss", roles=frozenset({Role.ADMIN}))
NUMBERS = count()


@pytest.fixture
def session(runtime: Runtime) -> Iterator[Session]:
    with runtime.sessions() as opened:
        yield opened


@pytest.fixture
def acting(settings: Settings, runtime: Runtime) -> Acting:
    return Acting(actor=BOSS, now=runtime.clock(), settings=settings)


@pytest.fixture
def make(session: Session, acting: Acting) -> Callable[..., Record]:
    """`make(name, **only_what_matters)` as the processor does."""

    def make_one(name: str = "anna", **values: object) -> Record:
        return RECORDS.create(session, {"name": name} | values, acting=acting)  # type: ignore[arg-type]

    return make_one


def found(session: Session, acting: Acting, name: str) -> Record | None:
    session.expire_all()
    return RECORDS.find(session, {"name": name}, acting=acting)


def do(
    session: Session, mode: Mode, record: Record | None, values: Values, acting: Acting
) -> object:
    """What the engine does with one row."""
    if record is None:
        return RECORDS.create(session, values, acting=acting)
    if mode is Mode.UPDATE:
        return RECORDS.update(session, record, values, acting=acting)
    return RECORDS.remove(session, record, acting=acting)


def a_user(session: Session, name: str, **values: object) -> None:
    """One with a password, made by the service."""
    defaults: dict[str, object] = {
        "roles": (),
        "password": PASSWORD,
        "now": datetime.fromisoformat("2026-11-21T12:00:00+00:00"),
    }
    service.create_user(session, actor=SYSTEM, name=name, **(defaults | values))  # type: ignore[arg-type]


def test_every_value_of_a_record_is_declared(make: Callable[..., Record]) -> None:
    assert list(make().values) == [field.name for field in USERS.fields]


def test_a_made_user_is_found_in_any_case(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make("René", display_name="René Roi", email="r@example.org", roles=("operator",))
    assert made.values == {
        "name": "René",
        "display_name": "René Roi",
        "email": "r@example.org",
        "roles": ("operator",),
        "enabled": True,
    }
    assert found(session, acting, "RENÉ") == made


def test_a_made_user_has_no_role_unless_it_is_said(make: Callable[..., Record]) -> None:
    assert make().values["roles"] == ()


def test_nobody_can_sign_in_as_a_made_user_before_a_password_is_given(
    session: Session, make: Callable[..., Record]
) -> None:
    make()
    user = service.get_user_named(session, "anna")
    assert user.password_hash == NOBODYS_HASH
    assert user.must_change_password


def test_a_one_time_password_opens_the_account(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    user, _password = service.give_one_time_password(
        session, int(made.key), actor=BOSS, now=acting.now
    )
    assert user.password_hash != NOBODYS_HASH


@pytest.mark.parametrize("name", ["", "system", "a" * 65, "an\u200bna"])
def test_a_name_nobody_can_have_is_refused_at_its_field(
    make: Callable[..., Record], name: str
) -> None:
    with pytest.raises(RefusedRowError) as refused:
        make(name)
    assert refused.value.field == "name"


def test_a_taken_name_is_refused(make: Callable[..., Record]) -> None:
    make("anna")
    with pytest.raises(RefusedRowError, match="already a user"):
        make("ANNA")


def test_an_unknown_role_is_refused(make: Callable[..., Record]) -> None:
    with pytest.raises(RefusedRowError, match=r"^There is no role 'king'.$") as refused:
        make(roles=("king",))
    assert refused.value.field == "roles"


def test_an_update_leaves_alone_what_is_not_in_the_row(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make(email="a@example.org", roles=("member",))
    changed = RECORDS.update(session, made, {"display_name": "Anna A."}, acting=acting)
    assert changed.values == made.values | {"display_name": "Anna A."}
    assert found(session, acting, "anna") == changed


def test_an_update_clears_what_the_row_clears(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make(email="a@example.org", roles=("member",))
    changed = RECORDS.update(session, made, {"email": None, "roles": None}, acting=acting)
    assert changed.values["email"] is None
    assert changed.values["roles"] == ()


def test_an_update_never_changes_the_name(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    changed = RECORDS.update(session, make("anna"), {"name": "ANNA"}, acting=acting)
    assert changed.values["name"] == "anna"


def test_every_change_is_audited_as_the_requester(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    values: Values = {"email": "a@example.org", "roles": ("member",), "enabled": False}
    changed = RECORDS.update(session, made, values, acting=acting)
    RECORDS.remove(session, changed, acting=acting)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "user.create",
        "user.details",
        "user.roles",
        "user.disable",
        "user.remove",
    ]
    assert {entry.actor_name for entry in entries} == {"boss"}
    assert "example.org" not in str([entry.detail for entry in entries])


def test_a_check_refuses_what_doing_it_would_refuse(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    last, used = make("boss", roles=("admin",)), make("used")
    service.give_one_time_password(session, int(used.key), actor=BOSS, now=acting.now)
    refused: list[tuple[Mode, Record | None, Values]] = [
        (Mode.CREATE, None, {"name": "system"}),
        (Mode.CREATE, None, {"name": "bert", "roles": ("king",)}),
        (Mode.UPDATE, last, {"roles": ()}),
        (Mode.UPDATE, last, {"enabled": False}),
        (Mode.UPDATE, used, {"roles": ("king",)}),
        (Mode.UPDATE, Record(key="4711", values={}), {}),
        (Mode.REMOVE, last, {}),
        (Mode.REMOVE, used, {}),
        (Mode.REMOVE, Record(key="4711", values={}), {}),
    ]
    assert isinstance(RECORDS, Checking)
    for mode, record, values in refused:
        with pytest.raises(RefusedRowError) as checking:
            RECORDS.check(session, mode, record, values, acting=acting)
        with pytest.raises(RefusedRowError) as doing:
            do(session, mode, record, values, acting)
        assert (str(checking.value), checking.value.field) == (
            str(doing.value),
            doing.value.field,
        )


def test_a_check_writes_nothing(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    assert isinstance(RECORDS, Checking)
    for mode, record in ((Mode.CREATE, None), (Mode.UPDATE, made), (Mode.REMOVE, made)):
        values: Values = {"name": "bert", "roles": ("member",), "enabled": False}
        RECORDS.check(session, mode, record, values, acting=acting)
    assert not session.new | session.dirty | session.deleted
    assert found(session, acting, "anna") == made


@pytest.mark.parametrize("call", ["find", "create", "update", "remove"])
def test_without_the_right_nothing_is_done(
    session: Session, acting: Acting, make: Callable[..., Record], call: str
) -> None:
    made = make()
    nobody = replace(acting, actor=Actor(user_id=2, name="bert", roles=frozenset({Role.MEMBER})))
    calls = {
        "find": lambda: RECORDS.find(session, {"name": "anna"}, acting=nobody),
        "create": lambda: RECORDS.create(session, {"name": "bert"}, acting=nobody),
        "update": lambda: RECORDS.update(session, made, {"email": "x@example.org"}, acting=nobody),
        "remove": lambda: RECORDS.remove(session, made, acting=nobody),
    }
    with pytest.raises(RefusedRowError, match="Only administrators"):
        calls[call]()


def test_nobody_gives_a_role_that_grants_more_than_he_has() -> None:
    importer = Actor(user_id=2, name="ina", roles=frozenset({Role.IMPORT_MANAGER}))
    assert importer.may_give(Role.DATA_MANAGER)
    assert not importer.may_give(Role.OPERATOR)
    assert not importer.may_give(Role.ADMIN)


def test_the_last_admin_is_neither_removed_nor_disabled_nor_robbed_of_the_role(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make("boss", roles=("admin",))
    with pytest.raises(RefusedRowError, match=r"^Cannot remove last admin: boss$"):
        RECORDS.remove(session, made, acting=acting)
    with pytest.raises(RefusedRowError, match="'boss' is the last admin") as disabling:
        RECORDS.update(session, made, {"enabled": False}, acting=acting)
    with pytest.raises(RefusedRowError, match="'boss' is the last admin") as robbing:
        RECORDS.update(session, made, {"roles": ()}, acting=acting)
    assert (disabling.value.field, robbing.value.field) == ("enabled", "roles")


def test_a_removed_user_is_gone(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    RECORDS.remove(session, make(), acting=acting)
    assert found(session, acting, "anna") is None


def test_a_user_who_had_a_password_stays_on_record(session: Session, acting: Acting) -> None:
    a_user(session, "anna")
    record = found(session, acting, "anna")
    assert record is not None
    with pytest.raises(RefusedRowError, match="set `enabled` to no instead"):
        RECORDS.remove(session, record, acting=acting)
    assert found(session, acting, "anna") == record


def test_a_user_whom_another_room_names_stays_on_record(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    message = Notification(user_id=int(made.key), state="new", message="-", created_at=acting.now)
    session.add(message)
    session.flush()
    with pytest.raises(RefusedRowError, match="stays on record"):
        RECORDS.remove(session, made, acting=acting)


def test_a_user_who_is_gone_is_neither_updated_nor_removed(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    RECORDS.remove(session, made, acting=acting)
    with pytest.raises(RefusedRowError, match=r"^Cannot update: no such entry$"):
        RECORDS.update(session, made, {"email": "a@example.org"}, acting=acting)
    with pytest.raises(RefusedRowError, match=r"^Cannot remove: no such entry$"):
        RECORDS.remove(session, made, acting=acting)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=100)
STATES = st.fixed_dictionaries(
    {
        "display_name": st.none() | WORDS,
        "email": st.none() | st.emails(),
        "roles": st.sets(st.sampled_from([str(role) for role in Role])).map(tuple),
        "enabled": st.booleans(),
    }
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "display_name": st.none() | WORDS,
        "email": st.none() | st.emails(),
        "roles": st.none() | st.sets(st.sampled_from([str(role) for role in Role])).map(tuple),
        "enabled": st.booleans(),
    },
)
# The database is shared by the examples of one test; each has a user of its own.
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def a_name() -> str:
    return f"user-{next(NUMBERS)}"


@EXAMPLES
@given(before=STATES, change=CHANGES)
def test_whatever_an_update_changed_the_values_before_bring_back(
    runtime: Runtime, acting: Acting, before: Values, change: Values
) -> None:
    with runtime.sessions() as session:
        a_user(session, "other", roles=(Role.ADMIN,), password=None)
        name = a_name()
        made = RECORDS.create(session, {"name": name} | before, acting=acting)
        changed = RECORDS.update(session, made, change, acting=acting)
        assert found(session, acting, name) == changed
        RECORDS.update(session, changed, made.values, acting=acting)
        assert found(session, acting, name) == made


@EXAMPLES
@given(before=STATES)
def test_whatever_remove_took_the_values_before_bring_back(
    runtime: Runtime, acting: Acting, before: Values
) -> None:
    with runtime.sessions() as session:
        a_user(session, "other", roles=(Role.ADMIN,), password=None)
        name = a_name()
        made = RECORDS.create(session, {"name": name} | before, acting=acting)
        assert found(session, acting, name) == made
        RECORDS.remove(session, made, acting=acting)
        assert found(session, acting, name) is None
        RECORDS.create(session, made.values, acting=acting)
        restored = found(session, acting, name)
        assert restored is not None
        assert restored.values == made.values
