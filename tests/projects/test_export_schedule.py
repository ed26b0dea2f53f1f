"""Exports on a schedule: what one may choose, a missed run, a right that is lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from portal.accounts.permissions import Actor, Role
from portal.jobs import due, schedules
from portal.jobs.due import run_due
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState, Schedule
from portal.jobs.runner import perform
from portal.projects.models import Project, ProjectMember
from portal.projects.service import create_project
from portal.runtime import Runtime
from tests.projects.people import People

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def make_project(runtime: Runtime, actor: Actor, project_id: str) -> None:
    with runtime.sessions.begin() as session:
        create_project(session, actor=actor, project_id=project_id, title=project_id, now=MIDNIGHT)


@pytest.fixture
def engine_at(engine: JobEngine) -> Callable[[datetime], JobEngine]:
    """`engine_at(moment)`: the same engine, whose clock stands still at that moment."""

    def at(moment: datetime) -> JobEngine:
        return replace(engine, runtime=replace(engine.runtime, clock=lambda: moment))

    return at


@pytest.fixture
def owner(people: People, runtime: Runtime) -> Actor:
    actor = people.make("otto", Role.MEMBER)
    make_project(runtime, actor, "p1")
    return actor


@pytest.fixture
def schedule_id(runtime: Runtime, engine: JobEngine, owner: Actor) -> int:
    """An export of p1 every night."""
    with runtime.sessions.begin() as session:
        (offer,) = schedules.offers(session, kinds=engine.kinds, actor=owner)
        return schedules.create(
            session,
            actor=owner,
            offer=offer,
            cron="0 3 * * *",
            zone=ZoneInfo("UTC"),
            now=MIDNIGHT,
        ).id


def jobs_of(runtime: Runtime) -> list[Job]:
    with runtime.reads() as session:
        return list(session.scalars(select(Job)))


def schedule_of(runtime: Runtime, schedule_id: int) -> Schedule:
    with runtime.reads() as session:
        return session.scalars(select(Schedule).where(Schedule.id == schedule_id)).one()


def labels(runtime: Runtime, engine: JobEngine, actor: Actor) -> list[str]:
    with runtime.reads() as session:
        return [one.label for one in schedules.offers(session, kinds=engine.kinds, actor=actor)]


def test_one_may_choose_among_the_projects_that_one_may_export(
    people: People, runtime: Runtime, engine: JobEngine, owner: Actor
) -> None:
    member = people.make("mia", Role.MEMBER)
    people.join(member, "p1")
    make_project(runtime, member, "p2")
    assert labels(runtime, engine, owner) == ["p1 (p1)"]
    assert labels(runtime, engine, member) == ["p2 (p2)"]
    boss = people.make("boss", Role.ADMIN)
    assert labels(runtime, engine, boss) == ["p1 (p1)", "p2 (p2)"]


def test_nights_missed_while_the_portal_was_down_make_one_export(
    schedule_id: int, runtime: Runtime, engine_at: Callable[[datetime], JobEngine], owner: Actor
) -> None:
    later = engine_at(MIDNIGHT + timedelta(days=5))
    assert [run_due(later), run_due(later)] == [1, 0]
    (job,) = jobs_of(runtime)
    assert (job.requester_id, job.subject_id) == (owner.user_id, "p1")
    assert perform(job.id, engine=later) is JobState.SUCCEEDED


def test_a_scheduled_export_joins_the_one_that_waits(
    schedule_id: int, runtime: Runtime, engine_at: Callable[[datetime], JobEngine]
) -> None:
    run_due(engine_at(MIDNIGHT + timedelta(days=1)))
    run_due(engine_at(MIDNIGHT + timedelta(days=2)))
    assert len(jobs_of(runtime)) == 1


def test_an_owner_who_lost_his_right_stops_the_schedule_with_words(
    schedule_id: int,
    runtime: Runtime,
    engine_at: Callable[[datetime], JobEngine],
    owner: Actor,
) -> None:
    with runtime.sessions.begin() as session:
        session.execute(delete(ProjectMember).where(ProjectMember.user_id == owner.user_id))
    assert run_due(engine_at(MIDNIGHT + timedelta(days=1))) == 0
    schedule = schedule_of(runtime, schedule_id)
    assert (schedule.enabled, schedule.stopped_reason) == (False, due.NO_RIGHT)
    assert jobs_of(runtime) == []


def test_a_project_that_is_gone_stops_its_schedule_with_words(
    people: People,
    runtime: Runtime,
    engine: JobEngine,
    engine_at: Callable[[datetime], JobEngine],
) -> None:
    boss = people.make("boss", Role.ADMIN)
    make_project(runtime, boss, "p9")
    with runtime.sessions.begin() as session:
        (offer,) = schedules.offers(session, kinds=engine.kinds, actor=boss)
        made = schedules.create(
            session, actor=boss, offer=offer, cron="0 3 * * *", zone=ZoneInfo("UTC"), now=MIDNIGHT
        ).id
    with runtime.sessions.begin() as session:
        session.execute(delete(Project).where(Project.id == "p9"))
    assert run_due(engine_at(MIDNIGHT + timedelta(days=1))) == 0
    assert schedule_of(runtime, made).stopped_reason == "There is no project 'p9'."
