"""Fetched files go into the data centre by themselves, each once, by the right of who said so."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.artifacts.intakes import Intakes
from portal.datacenter.intake import INTAKE
from portal.datacenter.place import storage_path
from portal.delivery.models import DeliveredFile
from portal.delivery.passing_on import set_intake
from portal.delivery.quarantine import send_again
from portal.delivery.states import Direction
from portal.delivery.tasks import kinds_for
from portal.errors import ForbiddenError, InvalidError
from portal.jobs.kinds import Kinds
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.browser_like import PASSWORD
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

INTAKES = Intakes((INTAKE,))
CSV = b"name,price\nx,1\n"


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    made = Site(runtime, url=scripted.url(), folder=scripted.folder, direction=Direction.FETCH)
    made.engine = replace(made.engine, kinds=Kinds(kinds_for(INTAKES)))
    say(made, SYSTEM)
    return made


def say(site: Site, actor: Actor, intake: str = "datacenter") -> None:
    with site.runtime.sessions.begin() as session:
        set_intake(
            session,
            actor=actor,
            name="articles",
            intake=intake,
            intakes=INTAKES,
            now=site.runtime.clock(),
        )


def taken(site: Site) -> dict[str, bytes]:
    with site.runtime.reads() as session:
        storage = storage_path(session, site.runtime.settings)
    if not storage.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in storage.iterdir() if path.is_file()}


def test_what_was_fetched_is_in_the_data_centre(site: Site) -> None:
    (site.folder / "a.csv").write_bytes(CSV)
    assert site.run().state == JobState.SUCCEEDED
    assert taken(site) == {"a.csv": CSV}
    assert site.here() == {"cur": ["a.csv"]}
    assert site.there() == {}


def test_without_the_rule_it_stays_in_new(site: Site) -> None:
    say(site, SYSTEM, intake="")
    (site.folder / "a.csv").write_bytes(CSV)
    site.run()
    assert taken(site) == {}
    assert site.here() == {"new": ["a.csv"]}


@pytest.mark.parametrize("after", ["", "handing", "taken"])
def test_a_run_that_was_killed_in_between_hands_nothing_over_twice(site: Site, after: str) -> None:
    (site.folder / "a.csv").write_bytes(CSV)
    site.run()
    site.spool.move("a.csv", "cur", "new")
    with site.runtime.sessions.begin() as session:
        session.execute(update(DeliveredFile).values(intake=after, kept_as=""))
    assert site.run().state == JobState.SUCCEEDED
    assert taken(site) == {"a.csv": CSV}
    assert site.states() == {"a.csv": "received"}
    assert site.here() == {"cur": ["a.csv"]}


def test_what_is_refused_is_put_aside_and_can_be_handed_over_again(site: Site) -> None:
    (site.folder / "a.csv").write_bytes(CSV)
    site.run()
    (site.folder / "a.csv").write_bytes(CSV * 2)
    job = site.run()
    assert job.result["quarantined"] == 1
    assert site.here()["quarantine"] == ["a.csv"]
    row = site.rows()[-1]
    assert (row.state, bool(row.message)) == ("quarantined", True)
    with site.runtime.reads() as session:
        (storage_path(session, site.runtime.settings) / "a.csv").unlink()
    with site.runtime.sessions.begin() as session:
        send_again(session, actor=SYSTEM, file_id=row.id, now=site.runtime.clock())
    site.run()
    assert taken(site) == {"a.csv": CSV * 2}


def test_what_others_put_there_is_not_handed_over(site: Site) -> None:
    site.put("b.csv", CSV)
    site.run()
    assert taken(site) == {}
    assert site.here() == {"new": ["b.csv"]}


def test_the_right_of_who_said_so_is_asked_each_time(site: Site) -> None:
    with site.runtime.sessions.begin() as session:
        ida = accounts.create_user(
            session,
            actor=SYSTEM,
            name="ida",
            password=PASSWORD,
            roles=[Role.OPERATOR, Role.DATA_MANAGER],
            now=site.runtime.clock(),
        )
    roles = frozenset({Role.OPERATOR, Role.DATA_MANAGER})
    say(site, Actor(user_id=ida.id, name="ida", roles=roles))
    with site.runtime.sessions.begin() as session:
        session.execute(update(User).where(User.id == ida.id).values(enabled=False))
    (site.folder / "a.csv").write_bytes(CSV)
    job = site.run()
    assert job.state == JobState.FAILED
    assert "may not do so any more" in job.reason
    assert site.here() == {"new": ["a.csv"]}


def test_who_may_not_bring_files_there_cannot_say_so(site: Site) -> None:
    operator = Actor(user_id=1, name="olga", roles=frozenset({Role.OPERATOR}))
    with pytest.raises(ForbiddenError):
        say(site, operator)


def test_a_channel_that_sends_hands_nothing_over(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = Site(runtime, url=scripted.url(), folder=scripted.folder)
    with pytest.raises(InvalidError):
        say(site, SYSTEM)
