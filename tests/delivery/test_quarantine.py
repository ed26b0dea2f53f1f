"""Files that were put aside wait for a person: sent again, or counted as delivered."""

import pytest

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.delivery.quarantine import count_as_delivered, list_aside, send_again
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

MEMBER = Actor(user_id=None, name="mia", roles=frozenset({Role.MEMBER}))


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    """Its file `a` is uncertain: it was taken before the reply came."""
    made = Site(runtime, url=scripted.url(), folder=scripted.folder)
    made.put("a")
    scripted.script.once["RNTO a"] = "drop after"
    scripted.script.take = "a"
    made.run()
    scripted.script.take = ""
    return made


def again(site: Site, file_id: int, actor: Actor = SYSTEM) -> None:
    with site.runtime.sessions.begin() as session:
        send_again(session, actor=actor, file_id=file_id, now=site.runtime.clock())


def test_what_was_put_aside_is_listed(site: Site) -> None:
    with site.runtime.reads() as session:
        listed = list_aside(session, actor=SYSTEM, channel="articles")
        assert [(row.name, row.state, channel.name) for row, channel in listed] == [
            ("a", "uncertain", "articles")
        ]


def test_a_file_can_be_sent_again(site: Site) -> None:
    again(site, site.rows()[0].id)
    assert site.here() == {"new": ["a"]}
    site.run()
    assert site.there() == {"a": b"content"}
    assert [row.state for row in site.rows()] == ["returned", "delivered"]


def test_a_file_can_be_counted_as_delivered(site: Site) -> None:
    with site.runtime.sessions.begin() as session:
        number = site.rows()[0].id
        count_as_delivered(session, actor=SYSTEM, file_id=number, now=site.runtime.clock())
    assert site.here() == {"cur": ["a"]}
    assert site.states() == {"a": "delivered"}
    site.run()
    assert site.there() == {}


def test_what_was_decided_is_not_decided_again(site: Site) -> None:
    number = site.rows()[0].id
    again(site, number)
    with pytest.raises(ConflictError, match="not put aside any more"):
        again(site, number)


def test_a_file_does_not_come_back_over_another(site: Site) -> None:
    site.put("a", b"newer")
    with pytest.raises(ConflictError):
        again(site, site.rows()[0].id)
    assert site.states() == {"a": "uncertain"}
    assert site.here() == {"new": ["a"], "quarantine": ["a"]}


def test_only_operators_decide(site: Site) -> None:
    with pytest.raises(ForbiddenError):
        again(site, site.rows()[0].id, MEMBER)


def test_a_file_that_nobody_knows_is_said(site: Site) -> None:
    with pytest.raises(NotFoundError):
        again(site, 999)
