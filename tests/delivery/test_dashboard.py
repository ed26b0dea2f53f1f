"""The dashboard tells operators what waits, and what wants their attention."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.delivery.models import DeliveredFile
from portal.delivery.states import FileState
from portal.runtime import Runtime
from tests.delivery.browsing import read, sign_in
from tests.delivery.site import Site


@pytest.fixture
def site(runtime: Runtime, tmp_path: Path) -> Site:
    return Site(runtime, url="ftp://test@127.0.0.1:9/", folder=tmp_path)


def dashboard(app: Flask, runtime: Runtime, role: Role) -> str:
    return read(sign_in(app, runtime, role), "/")


def blocked(site: Site, *, stale: bool) -> None:
    now = site.runtime.clock()
    facts = {"lock": "write", "owner": "somebody", "host": "", "since": None, "stale": stale}
    beat = (now - timedelta(hours=1)).isoformat()
    site.change(blocked=facts | {"beat": beat, "seen": now.isoformat()})


def test_operators_see_how_many_files_wait(app: Flask, runtime: Runtime, site: Site) -> None:
    site.put("a")
    site.put("b")
    assert "Delivery 2 files to send" in dashboard(app, runtime, Role.OPERATOR)


def test_files_put_aside_want_attention(app: Flask, runtime: Runtime, site: Site) -> None:
    with runtime.sessions.begin() as session:
        row = DeliveredFile(
            channel_id=site.channel_id,
            job_id="f" * 32,
            token=1,
            name="a",
            size=1,
            state=FileState.UNCERTAIN,
            started_at=runtime.clock(),
        )
        session.add(row)
    text = dashboard(app, runtime, Role.OPERATOR)
    assert "Put aside articles 1 file waits for a decision." in text


def test_a_failing_channel_wants_attention(app: Flask, runtime: Runtime, site: Site) -> None:
    site.change(incident="network: gone")
    assert "Fails articles network: gone" in dashboard(app, runtime, Role.OPERATOR)


def test_a_stale_lock_wants_attention_and_a_live_one_does_not(
    app: Flask, runtime: Runtime, site: Site
) -> None:
    blocked(site, stale=False)
    browser = sign_in(app, runtime, Role.OPERATOR)
    assert "Stale lock" not in read(browser, "/")
    blocked(site, stale=True)
    assert "Stale lock articles" in read(browser, "/")


def test_who_is_no_operator_is_told_nothing(app: Flask, runtime: Runtime, site: Site) -> None:
    site.change(incident="network: gone")
    assert "articles" not in dashboard(app, runtime, Role.DATA_MANAGER)
