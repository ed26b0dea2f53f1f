"""Fetching artifacts: whole, in parts, and only with the right."""

import hashlib
import http.client
import random
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from portal.accounts.permissions import Actor, Role
from portal.artifacts.models import Artifact
from portal.artifacts.service import Owner, artifact_path
from portal.projects.service import create_project
from portal.runtime import Runtime
from tests.projects.browser import Browser
from tests.projects.people import People

Make = Callable[..., Artifact]
BODY = random.Random(1).randbytes(3_000_000)


@pytest.fixture
def m1(runtime: Runtime) -> Actor:
    people = People(runtime)
    m1 = people.make("m1")
    with runtime.sessions.begin() as session:
        create_project(session, actor=m1, project_id="p1", title="P1", now=runtime.clock())
    return m1


@pytest.fixture
def artifact(make_artifact: Make, m1: Actor) -> Artifact:
    return make_artifact(BODY, owner=Owner(kind="project", id="p1"), name="Größe.zip")


@pytest.fixture
def url(artifact: Artifact) -> str:
    return f"/artifacts/{artifact.id}"


@pytest.fixture
def browser(app: Flask, runtime: Runtime, m1: Actor) -> Browser:
    return Browser(app, runtime, m1)


def test_the_whole_file_comes_with_everything_that_proves_it(
    browser: Browser, artifact: Artifact, url: str
) -> None:
    answer = browser.get(url)
    assert answer.status_code == 200
    assert answer.data == BODY
    assert answer.headers["ETag"] == f'"{artifact.sha256}"'
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe.zip" in answer.headers["Content-Disposition"]
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")


def test_head_tells_the_same_without_the_file(browser: Browser, url: str) -> None:
    got, told = browser.get(url), browser.client.head(url)
    assert told.data == b""
    for name in ("ETag", "Content-Length", "Accept-Ranges", "Content-Type"):
        assert told.headers[name] == got.headers[name]


def test_a_part_comes_as_a_part(browser: Browser, url: str) -> None:
    answer = browser.get(url, Range="bytes=1000-1999")
    assert (answer.status_code, answer.data) == (206, BODY[1000:2000])
    assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(BODY)}"


def test_a_part_of_another_version_is_the_whole(browser: Browser, url: str) -> None:
    answer = browser.get(url, Range="bytes=1000-", If_Range='"another"')
    assert (answer.status_code, answer.data) == (200, BODY)


def test_a_part_behind_the_end_is_refused_with_the_size(browser: Browser, url: str) -> None:
    answer = browser.get(url, Range=f"bytes={len(BODY)}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


def test_who_has_it_gets_304_without_the_file(
    browser: Browser, artifact: Artifact, url: str
) -> None:
    answer = browser.get(url, If_None_Match=f'"{artifact.sha256}"')
    assert (answer.status_code, answer.data) == (304, b"")


def test_nobody_else_gets_it(app: Flask, runtime: Runtime, url: str) -> None:
    other = Browser(app, runtime, People(runtime).make("m9"))
    assert other.get(url).status_code == 404
    assert other.get("/artifacts/unknown").status_code == 404
    assert Browser(app, runtime).get(url).status_code == 401


def test_an_admin_of_the_portal_gets_it(app: Flask, runtime: Runtime, url: str) -> None:
    boss = Browser(app, runtime, People(runtime).make("boss", Role.ADMIN))
    assert boss.get(url).status_code == 200


def test_a_file_that_is_gone_from_disk_is_said_to_be(
    browser: Browser, runtime: Runtime, artifact: Artifact, url: str
) -> None:
    artifact_path(runtime.settings, artifact.id).unlink()
    answer = browser.get(url)
    assert answer.status_code == 404
    assert "not on disk any more" in answer.text


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_cut_by_the_network_goes_on_and_its_sum_matches(
    browser: Browser, port: int, artifact: Artifact, url: str
) -> None:
    cookie = browser.client.get_cookie("portal")
    assert cookie is not None
    head = {"Cookie": f"portal={cookie.value}"}
    first = http.client.HTTPConnection("127.0.0.1", port)
    first.request("GET", url, headers=head)
    got = first.getresponse().read(1_234_567)
    assert first.sock is None or first.sock.shutdown(socket.SHUT_RDWR) is None
    first.close()
    again = http.client.HTTPConnection("127.0.0.1", port)
    etag = f'"{artifact.sha256}"'
    again.request("GET", url, headers=head | {"Range": f"bytes={len(got)}-", "If-Range": etag})
    answer = again.getresponse()
    rest = answer.read()
    again.close()
    assert answer.status == 206
    assert hashlib.sha256(got + rest).hexdigest() == artifact.sha256
