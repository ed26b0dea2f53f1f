"""The look-up that every request pays for, and the rows behind it."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from portal.accounts import sessions
from portal.accounts.housekeeping import forget_what_is_over
from portal.accounts.models import SignInFailures, SignInSession, User
from portal.accounts.permissions import Permission, Role
from portal.runtime import Runtime
from portal.settings import Settings
from tests.accounts.conftest import MovableClock
from tests.browser_like import Browser

MakeUser = Callable[..., User]


def begin(runtime: Runtime, user: User) -> str:
    with runtime.sessions.begin() as session:
        return sessions.start(
            session,
            user_id=user.id,
            now=runtime.clock(),
            settings=runtime.settings,
            address="192.0.2.1",
            browser="Otter",
        )


def look_up(runtime: Runtime, token: str) -> sessions.SignedIn | None:
    asked = sessions.open_look_up(runtime.engine)
    return sessions.find_signed_in(asked, token, now=runtime.clock(), settings=runtime.settings)


def seen(runtime: Runtime, token: str) -> Any:
    with runtime.reads() as session:
        row = session.get(SignInSession, sessions.hash_token(token))
    return row and row.seen_at


def test_a_token_finds_who_holds_it_with_all_roles(runtime: Runtime, make_user: MakeUser) -> None:
    anna = make_user("anna", Role.OPERATOR, Role.MEMBER, display_name="Anna K")
    found = look_up(runtime, begin(runtime, anna))
    assert found is not None
    assert (found.actor.user_id, found.actor.name, found.actor.display_name) == (
        anna.id,
        "anna",
        "Anna K",
    )
    assert found.actor.roles == {Role.OPERATOR, Role.MEMBER}
    assert found.actor.may(Permission.SHOWROOM_OPERATE)


def test_whoever_holds_no_role_is_found_too(runtime: Runtime, make_user: MakeUser) -> None:
    found = look_up(runtime, begin(runtime, make_user("anna")))
    assert found is not None
    assert found.actor.permissions == {Permission.SIGN_IN}


def test_an_unknown_token_finds_nobody(runtime: Runtime) -> None:
    assert look_up(runtime, "no-such-token") is None


def test_the_token_itself_is_stored_nowhere(runtime: Runtime, make_user: MakeUser) -> None:
    token = begin(runtime, make_user("anna"))
    with runtime.reads() as session:
        rows = session.execute(select(SignInSession.__table__)).all()
    assert token not in str(rows)


def test_use_is_noted_once_a_minute(
    app: Flask, runtime: Runtime, make_user: MakeUser, clock: MovableClock
) -> None:
    make_user("anna")
    browser = Browser(app)
    browser.sign_in("anna")
    token = token_of(browser)
    began = clock.now
    clock.move(seconds=59)
    browser.get("/accounts/me")
    assert seen(runtime, token) == began
    clock.move(seconds=1)
    browser.get("/accounts/me")
    assert seen(runtime, token) == clock.now


def test_an_unsafe_request_notes_its_use_too(
    app: Flask, runtime: Runtime, make_user: MakeUser, clock: MovableClock
) -> None:
    make_user("anna")
    browser = Browser(app)
    browser.sign_in("anna")
    clock.move(minutes=2)
    assert browser.post("/accounts/me/sessions/end").status_code == 303
    assert seen(runtime, token_of(browser)) == clock.now


def test_what_is_over_is_forgotten_and_the_rest_stays(
    runtime: Runtime, make_user: MakeUser, clock: MovableClock, settings: Settings, app: Flask
) -> None:
    anna = make_user("anna")
    begin(runtime, anna)
    Browser(app).sign_in("nemo")
    clock.move(minutes=settings.session_idle_minutes)
    kept = begin(runtime, anna)
    forget_what_is_over(runtime)
    with runtime.reads() as session:
        assert list(session.scalars(select(SignInSession.token_hash))) == [
            sessions.hash_token(kept)
        ]
        assert session.scalar(select(func.count()).select_from(SignInFailures)) == 0


def token_of(browser: Browser) -> str:
    with browser.client.session_transaction() as cookie:
        return str(cookie["_user_id"])
