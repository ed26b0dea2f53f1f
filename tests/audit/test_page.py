"""The audit log as a page."""

from datetime import UTC, datetime

from flask import Flask

from portal.accounts import service
from portal.accounts.permissions import SYSTEM, Role
from portal.audit.listing import LISTED
from portal.audit.service import record
from portal.runtime import Runtime
from tests.browser_like import PASSWORD, Browser

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def signed_in(app: Flask, runtime: Runtime) -> Browser:
    with runtime.sessions.begin() as session:
        service.create_user(
            session,
            actor=SYSTEM,
            name="boss",
            roles=[Role.ADMIN],
            password=PASSWORD,
            must_change_password=False,
            now=runtime.clock(),
        )
    browser = Browser(app)
    browser.sign_in("boss")
    return browser


def write(runtime: Runtime, count: int, *, action: str = "thing.change", **detail: str) -> None:
    with runtime.sessions.begin() as session:
        for index in range(count):
            record(
                session,
                actor=SYSTEM,
                action=action,
                object_kind="thing",
                object_id=str(index),
                now=NOW,
                detail=detail,
            )


def test_the_log_shows_what_was_done_and_escapes_it(app: Flask, runtime: Runtime) -> None:
    browser = signed_in(app, runtime)
    write(runtime, 1, name="<b>bold</b>")
    page = browser.get("/audit").text
    assert "thing.change" in page
    assert "session.start" in page
    assert "<b>bold" not in page


def test_older_entries_are_a_link_away_and_the_filter_goes_along(
    app: Flask, runtime: Runtime
) -> None:
    browser = signed_in(app, runtime)
    write(runtime, LISTED + 1, action="old.thing")
    page = browser.get("/audit?action=old")
    assert page.text.count("<tr>") == LISTED + 1
    older = page.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "action=old" in older
    assert browser.get(older).text.count("<tr>") == 2


def test_a_filter_that_finds_nothing_says_so(app: Flask, runtime: Runtime) -> None:
    page = signed_in(app, runtime).get("/audit?actor=nemo").text
    assert "No entry fits these filters" in page
