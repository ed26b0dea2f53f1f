"""Every route against every role, from the application's own map."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import SignInSession
from portal.accounts.permissions import Permission
from portal.db import Base
from portal.runtime import Runtime
from portal.web.access import Access, declared, requires
from tests.browser_like import Browser
from tests.web.conftest import PEOPLE, Site
from tests.web.programs import Program, make_secret
from tests.web.routes import SAFE, Route, routes

SIGN_OUT = "accounts.end_session"
FOR_SOME = (Permission.USERS_MANAGE, Permission.DELIVERY_OPERATE)  # who has none of them gets 403
ANSWERS = (200, 404, 409, 415)  # what a program that may ask is told, without a body
EXPECTED: dict[str, frozenset[Permission]] = {
    "admin": frozenset(Permission),
    "data_manager": frozenset({Permission.DATACENTER_VIEW, Permission.DATACENTER_EDIT}),
    "import_manager": frozenset(
        {
            Permission.DATACENTER_VIEW,
            Permission.DATACENTER_EDIT,
            Permission.IMPORTS_RUN,
            Permission.TABLES_BROWSE,
        }
    ),
    "export_manager": frozenset({Permission.TABLES_EXPORT}),
    "operator": frozenset({Permission.DELIVERY_OPERATE, Permission.SHOWROOM_OPERATE}),
    "member": frozenset({Permission.PROJECTS_CREATE}),
    "nobody": frozenset(),
}


class Visitor:
    """Somebody who asks for everything; who was signed out signs in again."""

    def __init__(self, site: Site, name: str | None) -> None:
        self._site, self._name = site, name
        self._browser = site.browser(name)

    def ask(self, route: Route, known: dict[str, str] | None = None) -> TestResponse:
        if route.endpoint == SIGN_OUT:
            return self._ask(self._site.browser(self._name), route, known)
        return self._ask(self._browser, route, known)

    def _ask(self, browser: Browser, route: Route, known: dict[str, str] | None) -> TestResponse:
        url = route.url(known)
        return browser.get(url) if route.method in SAFE else browser.open_unsafe(route.method, url)


def asks_to_sign_in(response: TestResponse) -> bool:
    if response.status_code == 401:
        return "<form" not in response.text
    return response.status_code == 303 and response.location.startswith("/login?next=/")


def lets_in(response: TestResponse) -> bool:
    """Whatever the view then says of an empty form or a thing that is not there."""
    return response.status_code in (200, 204, 303, 304, 400, 404, 409, 422) and not asks_to_sign_in(
        response
    )


def test_every_route_declares_what_it_needs(app: Flask) -> None:
    undeclared = [str(route) for route in routes(app) if route.needs is None]
    assert undeclared == []


def test_a_route_that_declares_nothing_answers_nobody(site: Site) -> None:
    site.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert declared(site.app, "forgotten") is None
    assert site.browser("admin").get("/forgotten").status_code == 403
    assert asks_to_sign_in(site.browser(None).get("/forgotten"))


def test_strangers_reach_what_is_public_and_nothing_else(site: Site) -> None:
    stranger, wrong = Visitor(site, None), {}
    for route in routes(site.app):
        response = stranger.ask(route)
        if route.needs == Access.PUBLIC:
            fine = response.status_code not in (401, 403) and not asks_to_sign_in(response)
        else:
            fine = asks_to_sign_in(response) or response.status_code == 401
        if not fine:
            wrong[str(route)] = response.status
    assert wrong == {}


def test_htmx_of_strangers_is_sent_to_the_sign_in_page(site: Site) -> None:
    browser, wrong = site.browser(None), {}
    for route in routes(site.app):
        if route.needs in (Access.PUBLIC, Access.METRICS) or route.for_programs:
            continue
        response = browser.htmx(route.method, route.url())
        asked = response.headers.get("HX-Redirect", "").startswith("/login?next=/")
        if response.status_code != 401 or not asked or response.data:
            wrong[str(route)] = response.status
    assert wrong == {}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_role_reaches_what_its_permissions_name_and_nothing_else(site: Site, name: str) -> None:
    granted = EXPECTED[name] | {Permission.SIGN_IN}
    visitor, wrong = Visitor(site, name), {}
    for route in routes(site.app):
        response = visitor.ask(route)
        if route.for_programs and route.needs != Access.PUBLIC:
            fine = response.status_code == 401  # whatever the cookie says
        elif route.needs in granted or route.needs == Access.PUBLIC:
            fine = lets_in(response) or response.status_code == 503  # /healthz without a worker
        elif route.needs == Access.METRICS:
            fine = (response.status_code == 200) == (Permission.METRICS_VIEW in granted)
        else:
            fine = response.status_code == 403
        if not fine:
            wrong[str(route)] = response.status
    assert wrong == {}


def test_nothing_changes_without_the_pages_token(site: Site, runtime: Runtime) -> None:
    browsers = {name: site.browser(name) for name in ("admin", None)}
    before = contents(runtime)
    wrong = {}
    for route in routes(site.app):
        if route.method in SAFE:
            continue
        for name, browser in browsers.items():
            browser.token = ""
            plain = browser.open_unsafe(route.method, route.url(site.addresses))
            fragment = browser.htmx(route.method, route.url(site.addresses))
            refused = 401 if route.for_programs else 400
            if (plain.status_code, fragment.status_code) != (refused, refused):
                wrong[f"{route} as {name}"] = (plain.status, fragment.status)
    assert wrong == {}
    assert contents(runtime) == before


def test_looking_changes_nothing(site: Site, runtime: Runtime) -> None:
    browser = site.browser("admin")
    before = contents(runtime)
    wrong = {}
    for route in routes(site.app):
        if route.method in SAFE:
            response = browser.get(route.url(site.addresses))
            if response.status_code >= 500 and route.rule != "/healthz":
                wrong[str(route)] = response.status
    assert wrong == {}
    assert contents(runtime) == before


def test_what_belongs_to_somebody_else_is_not_there(site: Site) -> None:
    owned = set(site.addresses) - {"user_id"}
    member, wrong = Visitor(site, "member"), {}
    program = Program(site.app, make_secret(site.runtime, site.people["member"]))
    for route in routes(site.app):
        if not route.words() & owned or route.needs in FOR_SOME:
            continue
        url = route.url(site.addresses)
        asks = program.ask(route.method, url) if route.for_programs else None
        response = asks or member.ask(route, site.addresses)
        if response.status_code != 404:
            wrong[str(route)] = response.status
    assert wrong == {}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_token_reaches_what_its_scopes_and_its_user_name_and_nothing_else(
    site: Site, name: str
) -> None:
    site.app.add_url_rule("/api/forgotten", "forgotten", lambda: "secret")
    for permission in Permission:
        view = requires(permission)(lambda: "in")
        site.app.add_url_rule(f"/api/probe/{permission}", f"probe-{permission}", view)
    user, granted = site.people[name], EXPECTED[name] | {Permission.SIGN_IN}
    wrong = {}
    for scopes in [frozenset(), granted, *(frozenset({scope}) for scope in granted)]:
        program = Program(site.app, make_secret(site.runtime, user, scopes=scopes))
        allowed = scopes | {Permission.SIGN_IN, Access.PUBLIC}
        for route in routes(site.app):
            if not route.for_programs:
                continue
            response = program.ask(route.method, route.url())
            fine = (response.status_code in ANSWERS) == (route.needs in allowed)
            if not fine or (route.needs not in allowed and response.status_code != 403):
                wrong[str(route)] = response.status
    assert wrong == {}


def test_a_token_opens_no_page(site: Site) -> None:
    program = Program(site.app, make_secret(site.runtime, site.people["admin"], scopes=Permission))
    wrong = {}
    for route in routes(site.app):
        if route.for_programs or route.needs in (Access.PUBLIC, Access.METRICS):
            continue
        response = program.ask(route.method, route.url())
        refused = response.status_code == 400 if route.method not in SAFE else False
        if not refused and not asks_to_sign_in(response):
            wrong[str(route)] = response.status
    assert wrong == {}


def contents(runtime: Runtime) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for when a browser was last seen."""
    found = {}
    with runtime.reads() as session:
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if column.name != "seen_at"]
            rows = session.execute(select(*columns)).all()
            found[table.name] = sorted(tuple(map(repr, row)) for row in rows)
    assert len(found[SignInSession.__tablename__]) > 0
    return found
