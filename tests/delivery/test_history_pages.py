"""The history of files and those put aside: searched, paged, decided."""

import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from portal.accounts.permissions import Role
from portal.delivery.models import DeliveredFile
from portal.delivery.states import FileState
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.delivery.browsing import audited, follow, read, sign_in, words
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

HISTORY, ASIDE = "/delivery/history", "/delivery/aside"


@pytest.fixture
def olga(app: Flask, runtime: Runtime) -> Browser:
    browser = sign_in(app, runtime, Role.OPERATOR)
    browser.get("/delivery")
    return browser


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


def deliver(site: Site, number: int) -> None:
    """So many files were delivered, as the ledger tells."""
    now = site.runtime.clock()
    rows = [
        {
            "channel_id": site.channel_id,
            "job_id": "f" * 32,
            "token": 1,
            "name": f"file-{place:05d}.xml",
            "size": 1000,
            "sha256": f"{place:064x}",
            "state": FileState.DELIVERED,
            "started_at": now - timedelta(seconds=2),
            "ended_at": now,
        }
        for place in range(number)
    ]
    with site.runtime.sessions.begin() as session:
        session.execute(insert(DeliveredFile), rows)


def put_aside(site: Site, name: str, state: FileState) -> int:
    folder = site.spool.root / "quarantine"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("content")
    with site.runtime.sessions.begin() as session:
        row = DeliveredFile(
            channel_id=site.channel_id,
            job_id="f" * 32,
            token=1,
            name=name,
            size=7,
            kept_as=name,
            state=state,
            reason="permission",
            message="550 Permission denied.",
            started_at=site.runtime.clock(),
        )
        session.add(row)
        session.flush()
        return row.id


def test_without_files_the_history_says_what_it_is_for(olga: Browser, site: Site) -> None:
    assert "Nothing was transferred yet" in read(olga, HISTORY)
    assert site.rows() == []


def test_a_file_is_told_with_size_checksum_attempt_and_outcome(olga: Browser, site: Site) -> None:
    site.put("a.xml")
    site.run()
    text = read(olga, HISTORY)
    assert "a.xml" in text
    assert "Delivered" in text
    assert "7 bytes" in text
    assert site.rows()[0].sha256 in text
    assert f'href="/jobs/{site.rows()[0].job_id}"' in olga.get(HISTORY).text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("text=00001", 1),
        ("text=none", 0),
        ("channel=articles", 3),
        ("state=delivered", 3),
        ("state=failed", 0),
        ("sha256=" + "0" * 63, 3),
        ("sha256=" + "0" * 63 + "2", 1),
        ("text=100%25", 0),
        ("before=nonsense", 3),
    ],
)
def test_the_history_is_searched(olga: Browser, site: Site, query: str, found: int) -> None:
    deliver(site, 3)
    assert olga.htmx("GET", f"{HISTORY}?{query}").text.count("file-0") == found


def test_an_unknown_channel_has_no_history(olga: Browser, site: Site) -> None:
    assert olga.get(f"{HISTORY}?channel=nobody").status_code == 404
    assert site.rows() == []


def test_ten_thousand_files_are_paged_from_end_to_end_and_stay_fast(
    olga: Browser, site: Site
) -> None:
    deliver(site, 10_000)
    began = time.perf_counter()
    first = olga.get(HISTORY)
    search = olga.get(f"{HISTORY}?text=00000")
    channel = olga.get("/delivery/channels/1")
    assert time.perf_counter() - began < 5
    assert "file-09999.xml" in first.text
    assert "file-09949.xml" not in first.text
    assert "before=9951" in first.text
    assert "file-09949.xml" in olga.get(f"{HISTORY}?before=9951").text
    assert "Newest" in words(olga.get(f"{HISTORY}?before=2").text)
    assert "file-00000.xml" in search.text
    assert "10 000 files, 10.0 MB" in words(channel.text)


def test_nothing_put_aside_is_said(olga: Browser, site: Site) -> None:
    assert "Nothing is put aside" in read(olga, ASIDE)
    assert site.rows() == []


def test_a_file_of_the_quarantine_is_sent_again_by_one_click(olga: Browser, site: Site) -> None:
    number = put_aside(site, "a", FileState.QUARANTINED)
    assert "550 Permission denied." in read(olga, ASIDE)
    text = follow(olga, f"/delivery/files/{number}/again", {"channel": "articles"})
    assert "a is sent again by the next run." in text
    assert site.here() == {"new": ["a"]}
    assert audited(site.runtime, "delivery.file.retry") == [("olga", "articles")]


def test_an_uncertain_file_is_counted_as_delivered(olga: Browser, site: Site) -> None:
    number = put_aside(site, "a", FileState.UNCERTAIN)
    assert "If the receiver has taken it already, he gets it twice." in read(olga, ASIDE)
    follow(olga, f"/delivery/files/{number}/accept")
    assert site.here() == {"cur": ["a"]}
    assert audited(site.runtime, "delivery.file.accept") == [("olga", "articles")]


def test_an_uncertain_file_that_somebody_took_can_still_be_decided(
    olga: Browser, site: Site
) -> None:
    number = put_aside(site, "a", FileState.UNCERTAIN)
    (site.spool.root / "quarantine" / "a").unlink()
    assert "There is no file" in follow(olga, f"/delivery/files/{number}/again")
    assert site.states() == {"a": "uncertain"}
    follow(olga, f"/delivery/files/{number}/accept")
    assert site.states() == {"a": "delivered"}


def test_a_file_that_was_decided_is_not_decided_again(olga: Browser, site: Site) -> None:
    number = put_aside(site, "a", FileState.QUARANTINED)
    follow(olga, f"/delivery/files/{number}/again")
    assert "not put aside any more" in follow(olga, f"/delivery/files/{number}/accept")
    assert olga.post("/delivery/files/4711/again").status_code == 303


def test_all_files_of_the_quarantine_go_back_but_no_uncertain_ones(
    olga: Browser, site: Site
) -> None:
    put_aside(site, "a", FileState.QUARANTINED)
    put_aside(site, "b", FileState.QUARANTINED)
    put_aside(site, "c", FileState.UNCERTAIN)
    site.put("b", b"a later one")
    text = follow(olga, f"{ASIDE}/again", {"channel": "articles"})
    assert "1 file is sent again" in text
    assert "already has a file" in text
    assert site.here() == {"new": ["a", "b"], "quarantine": ["b", "c"]}
    assert site.states() == {"a": "returned", "b": "quarantined", "c": "uncertain"}
