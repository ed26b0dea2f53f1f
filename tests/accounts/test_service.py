"""Users: made, given roles, disabled, and every change written down."""

import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from portal.accounts import service, sessions
from portal.accounts.models import SignInSession, User
from portal.accounts.passwords import verify_password
from portal.accounts.permissions import SYSTEM, Role
from portal.audit.models import AuditEntry
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.runtime import Runtime
from tests.browser_like import PASSWORD

MakeUser = Callable[..., User]


def start_session(runtime: Runtime, user: User) -> str:
    with runtime.sessions.begin() as session:
        return sessions.start(
            session,
            user_id=user.id,
            now=runtime.clock(),
            settings=runtime.settings,
            address="192.0.2.1",
            browser="Otter",
        )


def actions(runtime: Runtime) -> list[str]:
    with runtime.reads() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def disable(runtime: Runtime, user_id: int) -> None:
    with runtime.sessions.begin() as session:
        user = service.get_user(session, user_id)
        service.disable_user(session, user, actor=SYSTEM, now=runtime.clock())


def set_roles(runtime: Runtime, user_id: int, *roles: Role) -> None:
    with runtime.sessions.begin() as session:
        user = service.get_user(session, user_id)
        service.set_roles(session, user, actor=SYSTEM, roles=roles, now=runtime.clock())


def roles_of(runtime: Runtime, user: User) -> set[str]:
    with runtime.reads() as session:
        return {row.role for row in service.get_user(session, user.id).roles}


def test_a_new_user_is_found_under_every_spelling(runtime: Runtime, make_user: MakeUser) -> None:
    made = make_user("René")
    with runtime.reads() as session:
        found = service.find_user(session, unicodedata.normalize("NFD", "RENÉ "))
    assert found is not None
    assert found.id == made.id


def test_a_taken_name_is_refused_in_any_spelling(make_user: MakeUser) -> None:
    make_user("René")
    with pytest.raises(ConflictError):
        make_user(unicodedata.normalize("NFD", "RENÉ"))


def test_two_who_take_one_name_at_once_get_it_once(runtime: Runtime, make_user: MakeUser) -> None:
    gate = threading.Barrier(2)

    def take() -> bool:
        gate.wait()
        try:
            make_user("anna")
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        results = [future.result() for future in [pool.submit(take) for _ in range(2)]]
    assert sorted(results) == [False, True]


def test_a_new_user_has_to_keep_the_rules_for_passwords(make_user: MakeUser) -> None:
    with pytest.raises(InvalidError):
        make_user("anna", password="short")


def test_roles_are_set_exactly(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna", Role.MEMBER, Role.OPERATOR)
    set_roles(runtime, anna.id, Role.OPERATOR, Role.DATA_MANAGER)
    assert roles_of(runtime, anna) == {"operator", "data_manager"}


def test_the_last_admin_keeps_the_role(runtime: Runtime, make_user: MakeUser) -> None:
    boss = make_user("boss", Role.ADMIN)
    with pytest.raises(ConflictError):
        set_roles(runtime, boss.id)
    assert roles_of(runtime, boss) == {"admin"}


def test_the_last_enabled_admin_cannot_be_disabled(runtime: Runtime, make_user: MakeUser) -> None:
    boss, other = make_user("boss", Role.ADMIN), make_user("other", Role.ADMIN)
    disable(runtime, other.id)
    with pytest.raises(ConflictError):
        disable(runtime, boss.id)


def test_two_admins_who_disable_each_other_at_once_leave_one(
    runtime: Runtime, make_user: MakeUser
) -> None:
    ids = [make_user(name, Role.ADMIN).id for name in ("boss", "other")]
    gate = threading.Barrier(2)

    def try_it(user_id: int) -> bool:
        gate.wait()
        try:
            disable(runtime, user_id)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(try_it, ids))
    assert sorted(results) == [False, True]


def test_disabling_ends_all_sessions_at_once(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna")
    start_session(runtime, anna)
    start_session(runtime, anna)
    disable(runtime, anna.id)
    with runtime.reads() as session:
        assert session.scalar(select(func.count()).select_from(SignInSession)) == 0


def test_a_disabled_user_is_enabled_again(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna")
    with runtime.sessions.begin() as session:
        user = service.get_user(session, anna.id)
        service.disable_user(session, user, actor=SYSTEM, now=runtime.clock())
        service.enable_user(session, user, actor=SYSTEM, now=runtime.clock())
    with runtime.reads() as session:
        assert service.get_user(session, anna.id).enabled


def test_a_one_time_password_replaces_the_old_and_has_to_be_changed(
    runtime: Runtime, make_user: MakeUser
) -> None:
    anna = make_user("anna")
    with runtime.sessions.begin() as session:
        user, password = service.give_one_time_password(
            session, anna.id, actor=SYSTEM, now=runtime.clock()
        )
    assert user.must_change_password
    assert verify_password(user.password_hash, password)
    assert not verify_password(user.password_hash, PASSWORD)


def test_another_password_ends_all_sessions(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna")
    start_session(runtime, anna)
    with runtime.sessions.begin() as session:
        user = service.get_user(session, anna.id)
        service.set_password(
            session, user, actor=SYSTEM, password="nine green herons", now=runtime.clock()
        )
    with runtime.reads() as session:
        assert session.scalar(select(func.count()).select_from(SignInSession)) == 0


def test_the_first_start_makes_an_admin_with_a_one_time_password(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        password = service.ensure_first_admin(session, now=runtime.clock())
    with runtime.reads() as session:
        user = service.get_user_named(session, "admin")
    assert password is not None
    assert verify_password(user.password_hash, password)
    assert user.must_change_password
    assert [row.role for row in user.roles] == ["admin"]


def test_the_second_start_makes_none(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        service.ensure_first_admin(session, now=runtime.clock())
        assert service.ensure_first_admin(session, now=runtime.clock()) is None


def test_no_admin_is_made_where_there_is_one(runtime: Runtime, make_user: MakeUser) -> None:
    make_user("boss", Role.ADMIN)
    with runtime.sessions.begin() as session:
        assert service.ensure_first_admin(session, now=runtime.clock()) is None


def test_users_are_found_by_part_of_name_or_mail(runtime: Runtime, make_user: MakeUser) -> None:
    make_user("anna", email="a@example.org")
    make_user("bert", display_name="Bert Banane")
    with runtime.reads() as session:
        assert [user.name for user in service.list_users(session, text="NN")] == ["anna"]
        assert [user.name for user in service.list_users(session, text="@example")] == ["anna"]
        assert [user.name for user in service.list_users(session, text="banane")] == ["bert"]
        assert list(service.list_users(session, text="%")) == []


def test_an_unknown_user_is_not_there(runtime: Runtime) -> None:
    with runtime.reads() as session, pytest.raises(NotFoundError):
        service.get_user(session, 4711)


def test_every_change_is_written_down_with_who_and_from_where(
    runtime: Runtime, make_user: MakeUser
) -> None:
    anna = make_user("anna")
    with runtime.sessions.begin() as session:
        user = service.get_user(session, anna.id)
        who = {"actor": SYSTEM, "now": runtime.clock(), "address": "192.0.2.7"}
        service.set_roles(session, user, roles=[Role.MEMBER], **who)
        service.disable_user(session, user, **who)
        service.enable_user(session, user, **who)
        service.give_one_time_password(session, anna.id, **who)
        service.set_password(session, user, password="nine green herons", **who)
    assert actions(runtime) == [
        "user.create",
        "user.roles",
        "user.disable",
        "user.enable",
        "user.one_time_password",
        "user.password",
    ]
    with runtime.reads() as session:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.actor_name, last.object_kind, last.object_id, last.address) == (
        "system",
        "user",
        str(anna.id),
        "192.0.2.7",
    )


def test_a_change_that_changes_nothing_is_not_written_down(
    runtime: Runtime, make_user: MakeUser
) -> None:
    anna = make_user("anna", Role.MEMBER)
    with runtime.sessions.begin() as session:
        user = service.get_user(session, anna.id)
        service.set_roles(session, user, actor=SYSTEM, roles=[Role.MEMBER], now=runtime.clock())
        service.enable_user(session, user, actor=SYSTEM, now=runtime.clock())
    assert actions(runtime) == ["user.create"]


def test_no_password_stands_in_the_audit_log(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna")
    with runtime.sessions.begin() as session:
        _, password = service.give_one_time_password(
            session, anna.id, actor=SYSTEM, now=runtime.clock()
        )
    with runtime.reads() as session:
        details = str([entry.detail for entry in session.scalars(select(AuditEntry))])
    assert password not in details
    assert PASSWORD not in details
