"""A file at an address: asked for on the page of imports, fetched by a worker, then looked at."""

import html
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from portal.assembly import processors_for
from portal.imports.tasks import kinds_for
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.settings import Settings
from portal.tables.actions import Action
from tests.imports.browsing import HTMX, Clerk, clerk_of, grant, words
from tests.imports.scenes import Desk
from tests.imports.tls_server import FileServer, running_server, sending

FETCHED = "/imports/fetched"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running_server(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def server(running: FileServer) -> FileServer:
    running.answers.clear()
    running.answers["/trunk.csv"] = sending(b"code,height\na,1\nb,2\n")
    running.answers["/report.pdf"] = sending(b"%PDF-1.7")
    return running


@pytest.fixture
def settings(
    make_settings: Callable[..., Settings], tables_url: str, server: FileServer
) -> Settings:
    hosts = (f"localhost:{server.port}",)
    return make_settings(tables_url=tables_url, disk_reserve_mb=0, imports_hosts=hosts)


@pytest.fixture
def clerk(app: Flask, desk: Desk) -> Clerk:
    made = clerk_of(app, desk)
    grant(desk, "trunk", *Action)
    return made


def ask(clerk: Clerk, address: str, **more: str) -> str:
    """Ask for the file at an address; returns where that leads."""
    clerk.browser.get("/imports")
    answer = clerk.browser.post(FETCHED, {"address": address, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def do(clerk: Clerk, location: str, server: FileServer) -> Job:
    """Let a worker fetch it that trusts the server."""
    kinds = Kinds(kinds_for(processors_for, trust=server.trust()))
    job_id = location.rpartition("/")[2]
    perform(job_id, engine=JobEngine(runtime=clerk.desk.runtime, kinds=kinds))
    return clerk.desk.job(job_id)


def test_a_file_that_was_fetched_is_mapped_like_one_that_was_sent(
    clerk: Clerk, server: FileServer
) -> None:
    location = ask(clerk, server.url("/trunk.csv"), table="trunk", mode="upsert")
    waiting = clerk.browser.get(location)
    assert f'hx-get="{location}" hx-trigger="every 2s, job-ended from:body"' in waiting.text
    assert do(clerk, location, server).state == JobState.SUCCEEDED
    answer = clerk.browser.get(location)
    assert answer.status_code == 303
    shown = clerk.browser.get(str(answer.location))
    assert "trunk.csv" in words(shown.text)
    assert '<option value="table:trunk" selected>' in shown.text
    assert '<option value="upsert" selected>' in shown.text
    imported = clerk.do(clerk.ask_again(str(answer.location)))
    assert imported.state == JobState.SUCCEEDED, imported.reason


def test_who_watches_is_led_on_by_itself(clerk: Clerk, server: FileServer) -> None:
    location = ask(clerk, server.url("/trunk.csv"))
    do(clerk, location, server)
    answer = clerk.browser.get(location, headers=HTMX)
    assert answer.headers["HX-Redirect"].startswith("/imports/new/")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/gone.csv", "The expected file is not there: https://localhost:"),
        ("/report.pdf", "Unsupported file format: PDF"),
    ],
)
def test_why_a_file_did_not_come_is_said_with_a_way_on(
    clerk: Clerk, server: FileServer, path: str, said: str
) -> None:
    location = ask(clerk, server.url(path))
    assert do(clerk, location, server).state == JobState.FAILED
    page = clerk.browser.get(location).text
    assert said in html.unescape(words(page))
    assert "every 2s" not in page
    assert f'hx-get="{location}" hx-trigger="job-ended from:body"' in page  # after a retry
    assert "/imports?address=https" in page


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Give the address of a file first."),
        ("http://localhost/a.csv", "begin with https:// only"),
        ("https://elsewhere.example/a.csv", "is no host from which files are fetched"),
        ("https://a:b@localhost/a.csv", "Leave user and password out"),
    ],
)
def test_an_address_that_will_not_do_is_refused_and_kept(
    clerk: Clerk, address: str, said: str
) -> None:
    location = ask(clerk, address)
    page = clerk.browser.get(location).text
    assert said in html.unescape(words(page))
    assert f'name="address" required value="{address}"' in page


def test_a_double_click_fetches_once(clerk: Clerk, server: FileServer) -> None:
    first = ask(clerk, server.url("/trunk.csv"))
    assert ask(clerk, server.url("/trunk.csv")) == first


def test_another_persons_file_is_not_found(app: Flask, clerk: Clerk, server: FileServer) -> None:
    location = ask(clerk, server.url("/trunk.csv"))
    other = clerk_of(app, clerk.desk, "otto")
    assert other.browser.get(location).status_code == 404
    assert ask(other, server.url("/trunk.csv")) != location
