"""The page's token: asked of every unsafe request, good as long as the sign-in is."""

from collections.abc import Callable
from datetime import timedelta

import time_machine

from portal.runtime import utc_now
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser
from tests.web.conftest import Site


def test_a_form_without_the_token_is_refused_in_words(site: Site) -> None:
    browser = site.browser("member")
    browser.get("/accounts/me")
    response = browser.post("/accounts/me/sessions/end", {"csrf_token": ""})
    assert response.status_code == 400
    assert "too old to be trusted" in response.text


def test_htmx_sends_the_token_in_a_header(site: Site) -> None:
    browser = site.browser("member")
    browser.get("/accounts/me")
    response = browser.htmx("POST", "/accounts/me/sessions/end")
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == "/accounts/me"


def test_htmx_without_the_token_is_told_to_reload(site: Site) -> None:
    response = site.browser("member").htmx(
        "POST", "/accounts/me/sessions/end", **{"X-CSRFToken": "stale"}
    )
    assert response.status_code == 400
    assert response.headers["HX-Refresh"] == "true"


def test_the_token_of_somebody_else_is_refused(site: Site) -> None:
    mine, theirs = site.browser("member"), site.browser("operator")
    theirs.get("/accounts/me")
    mine.token = theirs.token
    assert mine.post("/accounts/me/sessions/end").status_code == 400


def test_a_sign_in_page_left_open_for_a_day_still_signs_in(site: Site) -> None:
    browser = site.browser(None)
    with time_machine.travel(utc_now() + timedelta(days=1), tick=True):
        response = browser.post("/login", {"name": "member", "password": PASSWORD})
    assert response.status_code == 303


def test_a_page_left_open_for_hours_still_posts(site: Site, settings: Settings) -> None:
    browser = site.browser("member")
    browser.get("/accounts/me")
    later = utc_now() + timedelta(minutes=settings.session_idle_minutes - 1)
    with time_machine.travel(later, tick=True):
        assert browser.post("/accounts/me/sessions/end").status_code == 303


def test_a_page_from_before_signing_in_again_is_refused_and_reloaded(site: Site) -> None:
    browser = site.browser("member")
    browser.get("/accounts/me")
    before = browser.token
    browser.post("/logout")
    browser.sign_in("member")
    assert browser.post("/accounts/me/sessions/end", {"csrf_token": before}).status_code == 400
    browser.token = before
    assert browser.htmx("POST", "/accounts/me/sessions/end").headers["HX-Refresh"] == "true"


def test_behind_tls_a_form_of_another_site_is_refused_even_with_the_token(
    tls_browser: Callable[[], Browser],
) -> None:
    browser = tls_browser()
    browser.get("/login")
    response = browser.post(
        "/login",
        {"name": "member", "password": PASSWORD},
        headers={"Referer": "https://evil.example/"},
    )
    assert response.status_code == 400
