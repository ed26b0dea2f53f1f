"""How many projects, members and pages there are: those that the requester may know of."""

import pytest

from portal.accounts.permissions import SYSTEM, Actor
from portal.projects.processors import MEMBERS, PAGES, PROJECTS
from portal.rows.counting import count_records
from portal.rows.processors import Acting, Processor
from portal.runtime import Runtime
from tests.projects.people import People


@pytest.fixture
def owner(people: People, runtime: Runtime) -> Actor:
    """Whose are an open project with a page, and a closed one with two."""
    actor = people.make("owner")
    acting = Acting(actor=actor, now=runtime.clock(), settings=runtime.settings)
    with runtime.sessions.begin() as session:
        for project, policy in (("p1", "open"), ("p2", "closed")):
            PROJECTS.records.create(session, {"id": project, "policy": policy}, acting=acting)
        for project, name in (("p1", "a"), ("p2", "a"), ("p2", "b")):
            page = {"project": project, "name": name, "text": "# One"}
            PAGES.records.create(session, page, acting=acting)
    return actor


def counts(runtime: Runtime, actor: Actor) -> list[int | None]:
    acting = Acting(actor=actor, now=runtime.clock(), settings=runtime.settings)

    def count(processor: Processor) -> int | None:
        with runtime.reads() as session:
            return count_records(session, processor, acting=acting)

    return [count(processor) for processor in (PROJECTS, MEMBERS, PAGES)]


def test_whose_they_are_knows_of_all(runtime: Runtime, owner: Actor) -> None:
    assert counts(runtime, owner) == [2, 2, 3]


def test_others_know_of_those_that_they_may_see(
    runtime: Runtime, owner: Actor, people: People
) -> None:
    assert counts(runtime, people.make("other")) == [1, 1, 1]


def test_the_system_knows_of_all(runtime: Runtime, owner: Actor) -> None:
    assert counts(runtime, SYSTEM) == [2, 2, 3]
