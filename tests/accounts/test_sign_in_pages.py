"""Signing in, staying signed in, and signing out, as a browser sees it."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Role
from portal.runtime import Runtime
from portal.settings import Settings
from tests.accounts.conftest import MovableClock
from tests.browser_like import PASSWORD, Browser

MakeUser = Callable[..., User]
HOME = "/accounts/me"


def is_signed_in(guest: Browser) -> bool:
    response = guest.get(HOME)
    assert response.status_code == 200 or response.location.startswith("/login")
    return response.status_code == 200


def test_a_stranger_is_sent_to_the_sign_in_page(guest: Browser) -> None:
    response = guest.get("/accounts/me?a=b")
    assert response.status_code == 303
    assert response.location == "/login?next=/accounts/me%3Fa%3Db"


def test_the_right_password_lets_in_and_goes_on(guest: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    response = guest.sign_in("ANNA", next_url="/accounts/me?a=b")
    assert response.status_code == 303
    assert response.location == "/accounts/me?a=b"
    assert is_signed_in(guest)


def test_a_user_without_any_role_may_sign_in(guest: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    guest.sign_in("anna")
    assert "You hold no role" in guest.get(HOME).text


def test_wrong_unknown_and_disabled_get_the_same_answer(
    guest: Browser, make_user: MakeUser, runtime: Runtime
) -> None:
    make_user("anna")
    shut = make_user("bert")
    with runtime.sessions.begin() as session:
        user = service.get_user(session, shut.id)
        service.disable_user(session, user, actor=SYSTEM, now=runtime.clock())
    wrong = guest.sign_in("anna", "eight brown otters")
    unknown = guest.sign_in("nemo")
    disabled = guest.sign_in("bert")
    assert wrong.status_code == unknown.status_code == disabled.status_code == 422
    pages = [
        re.sub(
            r'(name="csrf[-_]token"[^>]*(?:content|value)=")[^"]+', r"\1", response.text
        ).replace(name, "")
        for response, name in ((wrong, "anna"), (unknown, "nemo"), (disabled, "bert"))
    ]
    assert "The name or the password is not right." in pages[0]
    assert pages[0] == pages[1] == pages[2]


def test_the_password_is_never_sent_back(guest: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    assert "eight brown" not in guest.sign_in("anna", "eight brown otters").text


def test_whoever_is_signed_in_passes_by_the_sign_in_page(
    guest: Browser, make_user: MakeUser
) -> None:
    make_user("anna")
    guest.sign_in("anna")
    assert guest.get("/login?next=/accounts/me").location == "/accounts/me"


def test_after_many_tries_even_the_right_password_has_to_wait(
    app: Flask, guest: Browser, make_user: MakeUser, settings: Settings
) -> None:
    make_user("anna")
    for _ in range(settings.sign_in_failures):
        assert guest.sign_in("anna", "eight brown otters").status_code == 422
    response = Browser(app, address="192.0.2.99").sign_in("anna")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == str(settings.sign_in_window_minutes * 60 + 1)
    assert "Wait 16 minutes" in response.text


def test_an_unknown_name_has_to_wait_just_so(guest: Browser, settings: Settings) -> None:
    answers = [guest.sign_in("nemo").status_code for _ in range(settings.sign_in_failures + 1)]
    assert answers == [422] * settings.sign_in_failures + [429]


def test_after_the_window_one_may_try_again(
    guest: Browser, make_user: MakeUser, settings: Settings, clock: MovableClock
) -> None:
    make_user("anna")
    for _ in range(settings.sign_in_failures + 1):
        guest.sign_in("anna", "eight brown otters")
    clock.move(minutes=settings.sign_in_window_minutes)
    assert guest.sign_in("anna").status_code == 303


def test_a_success_forgets_the_failures_of_the_account(
    app: Flask, make_user: MakeUser, settings: Settings
) -> None:
    make_user("anna")
    for _ in range(2):
        guest = Browser(app)
        for _ in range(settings.sign_in_failures - 1):
            guest.sign_in("anna", "eight brown otters")
        assert guest.sign_in("anna").status_code == 303


def test_the_cookie_from_before_signing_in_is_worth_nothing(
    app: Flask, guest: Browser, make_user: MakeUser
) -> None:
    make_user("anna")
    guest.get("/login")
    planted = guest.cookie()
    guest.sign_in("anna")
    other = Browser(app)
    other.copy_cookie_from(planted)
    assert guest.cookie() != planted
    assert not is_signed_in(other)


def test_signing_in_again_ends_the_browsers_earlier_session(
    app: Flask, guest: Browser, make_user: MakeUser
) -> None:
    make_user("anna")
    guest.sign_in("anna")
    earlier = guest.cookie()
    token = guest.token
    guest.post("/login", {"name": "anna", "password": PASSWORD, "csrf_token": token})
    other = Browser(app)
    other.copy_cookie_from(earlier)
    assert is_signed_in(guest)
    assert not is_signed_in(other)


def test_signing_out_kills_the_cookie_wherever_it_was_copied(
    app: Flask, guest: Browser, make_user: MakeUser
) -> None:
    make_user("anna")
    guest.sign_in("anna")
    copied = Browser(app)
    copied.copy_cookie_from(guest.cookie())
    assert is_signed_in(copied)
    assert guest.post("/logout").location == "/login"
    assert not is_signed_in(guest)
    assert not is_signed_in(copied)


def test_signing_out_by_a_link_does_not_work(guest: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    guest.sign_in("anna")
    assert guest.get("/logout").status_code == 405
    assert is_signed_in(guest)


def test_disabling_ends_the_session_at_the_next_request(
    guest: Browser, make_user: MakeUser, runtime: Runtime
) -> None:
    anna = make_user("anna")
    guest.sign_in("anna")
    with runtime.sessions.begin() as session:
        user = service.get_user(session, anna.id)
        service.disable_user(session, user, actor=SYSTEM, now=runtime.clock())
    assert not is_signed_in(guest)


def test_an_idle_session_ends(
    guest: Browser, make_user: MakeUser, settings: Settings, clock: MovableClock
) -> None:
    make_user("anna")
    guest.sign_in("anna")
    clock.move(minutes=settings.session_idle_minutes)
    assert not is_signed_in(guest)


def test_a_session_in_use_lives_to_its_absolute_end_and_no_longer(
    guest: Browser, make_user: MakeUser, settings: Settings, clock: MovableClock
) -> None:
    make_user("anna")
    guest.sign_in("anna")
    for _ in range(settings.session_absolute_hours - 1):
        clock.move(hours=1)
        assert is_signed_in(guest)
    clock.move(hours=1)
    assert not is_signed_in(guest)


def test_a_role_taken_away_is_gone_at_the_next_request(
    admin: Browser, make_user: MakeUser, runtime: Runtime
) -> None:
    make_user("other", Role.ADMIN)
    assert admin.get("/accounts").status_code == 200
    with runtime.sessions.begin() as session:
        boss = service.get_user_named(session, "boss")
        service.set_roles(session, boss, actor=SYSTEM, roles=[], now=runtime.clock())
    assert admin.get("/accounts").status_code == 403


def test_a_forged_cookie_signs_nobody_in(guest: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    guest.sign_in("anna")
    body, _, signature = guest.cookie().partition(".")
    guest.copy_cookie_from(f"{body}.{signature[::-1]}")
    assert not is_signed_in(guest)


def test_htmx_with_an_ended_session_is_sent_to_the_sign_in_page(
    guest: Browser, make_user: MakeUser, clock: MovableClock
) -> None:
    make_user("anna")
    guest.sign_in("anna")
    clock.move(days=10)
    response = guest.htmx("GET", HOME, **{"HX-Current-URL": "http://localhost/jobs?state=failed"})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login?next=/jobs%3Fstate%3Dfailed"
    assert response.data == b""


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(guest: Browser, make_user: MakeUser, where: str) -> None:
    make_user("anna")
    assert guest.sign_in("anna", next_url=where).location == "/"
