"""Operators are told of a trouble once, and once that it is over; nobody else is told."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.permissions import SYSTEM, Role
from portal.jobs.models import JobState, Notification, Outgoing
from portal.runtime import Runtime
from tests.browser_like import PASSWORD
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site
from tests.delivery.test_locks import note


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    for name, role in (("olga", Role.OPERATOR), ("mia", Role.MEMBER), ("ada", Role.ADMIN)):
        with runtime.sessions.begin() as session:
            accounts.create_user(
                session,
                actor=SYSTEM,
                name=name,
                password=PASSWORD,
                roles=[role],
                now=runtime.clock(),
            )
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


def told(site: Site) -> list[tuple[str, str]]:
    with site.runtime.reads() as session:
        found = session.scalars(select(Notification).order_by(Notification.id))
        return [(row.state, row.message) for row in found]


def test_of_a_trouble_that_stays_operators_are_told_once(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("a")
    scripted.script.always["PASS"] = "530 No."
    for _ in range(3):
        assert site.run().state == JobState.FAILED
    assert [state for state, _ in told(site)] == ["alarm", "alarm"]
    assert "Signing in" in told(site)[0][1]


def test_that_it_is_over_is_told_once(site: Site, scripted: ScriptedServer) -> None:
    site.put("a")
    scripted.script.always["PASS"] = "530 No."
    site.run()
    scripted.script.always.clear()
    site.run()
    site.run()
    assert [state for state, _ in told(site)] == ["alarm"] * 2 + ["over"] * 2


def test_another_trouble_is_told(site: Site, scripted: ScriptedServer) -> None:
    site.put("a")
    scripted.script.always["PASS"] = "530 No."
    site.run()
    scripted.script.always = {"STOR": "552 Full."}
    site.run()
    assert len(told(site)) == 4


def test_files_that_were_put_aside_are_told(site: Site, scripted: ScriptedServer) -> None:
    (site.spool.root / "new" / "write").write_bytes(b"x")
    site.run()
    site.run()
    assert [message for _, message in told(site)] == [
        "Channel “articles”: 0 files sent, 1 put into quarantine."
    ] * 2


@pytest.mark.parametrize(("content", "times"), [(b"", 0), (note().written(), 1)])
def test_only_a_lock_without_a_sign_of_life_is_told(site: Site, content: bytes, times: int) -> None:
    site.put("a")
    (site.folder / "write").write_bytes(content)
    site.run()
    site.run()
    assert len(told(site)) == 2 * times


def test_webhooks_are_told_once_for_all_operators(site: Site, scripted: ScriptedServer) -> None:
    urls = {"webhook_urls": ("https://hook.example.org/",)}
    hooked = site.runtime.settings.model_copy(update=urls)
    site.put("a")
    scripted.script.always["PASS"] = "530 No."
    site.engine = replace(site.engine, runtime=replace(site.runtime, settings=hooked))
    for _ in range(2):
        site.run()
    with site.runtime.reads() as session:
        events = [row.payload["event"] for row in session.scalars(select(Outgoing))]
    assert events == ["delivery.alarm"]
