"""One's own account: the password, and the browsers that are signed in."""

import re
from collections.abc import Callable

from flask import Flask

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Role
from portal.runtime import Runtime
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser

MakeUser = Callable[..., User]
NEW = "nine green herons"


def change(browser: Browser, *, current: str = PASSWORD, new: str = NEW, again: str = NEW) -> int:
    browser.get("/accounts/password")
    data = {"current": current, "new": new, "repeated": again}
    return browser.post("/accounts/password", data).status_code


def signed_in(app: Flask, name: str = "anna", password: str = PASSWORD) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(name, password).status_code == 303
    return browser


def other_sessions(browser: Browser) -> list[str]:
    page = browser.get("/accounts/me").text
    return re.findall(r'action="(/accounts/me/sessions/[0-9a-f]{64}/end)"', page)


def test_a_new_password_takes_the_place_of_the_old(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    assert change(signed_in(app)) == 303
    assert Browser(app).sign_in("anna", PASSWORD).status_code == 422
    assert Browser(app).sign_in("anna", NEW).status_code == 303


def test_the_browser_that_changed_it_stays_signed_in(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    browser = signed_in(app)
    change(browser)
    assert browser.get("/accounts/me").status_code == 200


def test_every_cookie_from_before_the_change_is_dead(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    browser, elsewhere = signed_in(app), signed_in(app)
    stolen = Browser(app)
    stolen.copy_cookie_from(browser.cookie())
    change(browser)
    assert elsewhere.get("/accounts/me").status_code == 303
    assert stolen.get("/accounts/me").status_code == 303


def test_the_current_password_has_to_be_right(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    browser = signed_in(app)
    assert change(browser, current="eight brown otters") == 422
    assert Browser(app).sign_in("anna", PASSWORD).status_code == 303


def test_guessing_the_current_password_is_slowed_down(
    app: Flask, make_user: MakeUser, settings: Settings
) -> None:
    make_user("anna")
    browser = signed_in(app)
    tries = settings.sign_in_failures
    answers = [change(browser, current="eight brown otters") for _ in range(tries + 1)]
    assert answers == [422] * tries + [429]


def test_a_bad_new_password_is_refused_in_words(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    browser = signed_in(app)
    for new in ("short", "password1234", "anna" * 3, PASSWORD):
        assert change(browser, new=new, again=new) == 422
    assert change(browser, new=NEW, again=NEW + "!") == 422


def test_a_one_time_password_has_to_be_changed_before_anything_else(
    app: Flask, runtime: Runtime, make_user: MakeUser
) -> None:
    anna = make_user("anna", Role.MEMBER)
    with runtime.sessions.begin() as session:
        _, password = service.give_one_time_password(
            session, anna.id, actor=SYSTEM, now=runtime.clock()
        )
    browser = signed_in(app, password=password)
    assert browser.get("/accounts/me").location == "/accounts/password"
    assert browser.get("/").location == "/accounts/password"
    assert browser.htmx("GET", "/").headers["HX-Redirect"] == "/accounts/password"
    assert change(browser, current=password) == 303
    assert browser.get("/accounts/me").status_code == 200


def test_whoever_has_a_one_time_password_may_still_sign_out(
    app: Flask, make_user: MakeUser
) -> None:
    make_user("anna", must_change_password=True)
    assert signed_in(app).post("/logout").location == "/login"


def test_ones_sessions_are_listed_with_browser_and_address(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    make_user("bert")
    browser = signed_in(app)
    Browser(app, address="198.51.100.7").sign_in("anna")
    Browser(app, address="203.0.113.9").sign_in("bert")
    page = browser.get("/accounts/me").text
    assert "192.0.2.1" in page
    assert "198.51.100.7" in page
    assert "Otter/1.0" in page
    assert "203.0.113.9" not in page


def test_another_browser_is_signed_out_from_here(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    browser, elsewhere = signed_in(app), signed_in(app)
    (url,) = other_sessions(browser)
    assert browser.post(url).location == "/accounts/me"
    assert elsewhere.get("/accounts/me").status_code == 303
    assert browser.get("/accounts/me").status_code == 200


def test_all_other_browsers_are_signed_out_at_once(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    browser, *others = (signed_in(app) for _ in range(3))
    browser.get("/accounts/me")
    browser.post("/accounts/me/sessions/end")
    assert [other.get("/accounts/me").status_code for other in others] == [303, 303]
    assert browser.get("/accounts/me").status_code == 200


def test_somebody_elses_session_is_not_there(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    make_user("bert")
    browser = signed_in(app)
    signed_in(app)
    (url,) = other_sessions(browser)
    assert signed_in(app, "bert").post(url).status_code == 404
    assert other_sessions(browser) == [url]


def test_a_full_name_is_escaped(app: Flask, make_user: MakeUser) -> None:
    make_user("anna", display_name="<script>alert(1)</script>")
    assert "<script>alert" not in signed_in(app).get("/accounts/me").text
