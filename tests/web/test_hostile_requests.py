"""Requests that no browser makes: absurd numbers, bodies that are large, late or unasked for."""

import socket
from collections.abc import Iterable
from typing import Any

import pytest

from portal.web.bodies import STRANGERS_BYTES, InTime
from tests.web.conftest import Site

ABSURD = "9" * 30


@pytest.mark.parametrize(
    "path",
    ["/accounts/{n}", "/notifications?older={n}", "/jobs/{job}?attempt={n}"]
    + [f"/jobs/{{job}}/log?{word}={{n}}" for word in ("attempt", "before", "after")],
)
def test_a_number_that_no_row_can_have_is_no_error(site: Site, path: str) -> None:
    url = path.format(n=ABSURD, job=site.addresses["job_id"])
    assert site.browser("admin").get(url).status_code in (200, 204, 404)


@pytest.mark.parametrize(
    "path", ["/projects/%00", "/jobs?text=a%00b", "/artifacts/a%00b", "/audit?object=user:%00"]
)
def test_a_nul_in_an_address_is_refused(site: Site, path: str) -> None:
    assert site.browser("admin").get(path).status_code == 400


def test_a_nul_in_a_form_is_refused(site: Site) -> None:
    browser = site.browser(None)
    browser.get("/login")
    response = browser.post("/login", {"name": "a\0b", "password": "x"})
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/login", "/projects"])
def test_a_stranger_cannot_send_much(site: Site, path: str) -> None:
    client = site.app.test_client()
    assert client.post(path, data={"a": "x" * STRANGERS_BYTES}).status_code == 413


def test_who_is_signed_in_may_send_more_than_a_stranger(site: Site) -> None:
    browser = site.browser("member")
    browser.get("/accounts/me")
    response = browser.post("/accounts/me/sessions/end", {"a": "x" * STRANGERS_BYTES})
    assert response.status_code == 303


def test_a_body_that_never_comes_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(30)
        app = InTime(lambda environ, _start: [ours.recv(100)], patience=0.1)
        assert answer(app, ours, length=10) == [b""]


def test_a_body_in_time_is_read_and_the_connection_stays() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"a=b")
        app = InTime(lambda environ, _start: [ours.recv(100)], patience=30)
        assert answer(app, ours, length=3) == [b"a=b"]
        theirs.sendall(b"more")
        assert ours.recv(100) == b"more"


def answer(app: InTime, connection: socket.socket, *, length: int) -> Iterable[bytes]:
    def start_response(*_: Any) -> Any:
        return None

    environ = {"gunicorn.socket": connection, "CONTENT_LENGTH": str(length)}
    return app(environ, start_response)
