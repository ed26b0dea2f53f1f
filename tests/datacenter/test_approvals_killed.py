"""Approvals and processes that are killed: an approval and what it lets go on are one."""

import os
import signal
from dataclasses import replace

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Role
from portal.datacenter import approving
from portal.datacenter.models import RemovalApproval
from portal.jobs.models import Job, JobState
from portal.rows.batch import Batch, BatchState
from portal.rows.processors import Mode
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.processing import Office, open_office
from tests.datacenter.removals import FILE, approve, ask_to_remove, make_users, names, users_left
from tests.datacenter.watching import drop, look, make_rule, work


@pytest.fixture
def office(runtime: Runtime) -> Office:
    office = open_office(runtime, Role.ADMIN)
    make_users(office, 12)
    return office


@pytest.fixture
def second(office: Office) -> Office:
    return open_office(office.runtime, Role.ADMIN, name="carla")


@pytest.mark.parametrize(("point", "jobs"), [("before_commit", 0), ("after_commit", 1)])
def test_killed_around_the_commit_of_an_approval_asking_again_works(
    office: Office, second: Office, settings: Settings, point: str, jobs: int
) -> None:
    waiting = ask_to_remove(office, 12)
    child = os.fork()
    if child == 0:
        _approve_and_die(second, settings, waiting, point)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(queued(office)) == jobs
    assert is_approved(office, waiting) is bool(jobs)
    job_id = approve(second, office.batch(waiting.id))
    assert queued(office) == [job_id]
    assert office.finish(job_id).counts.removed == 12


def test_what_a_rule_would_remove_waits_for_another_than_its_owner(
    office: Office, second: Office
) -> None:
    make_rule(office, pattern="leavers*.csv", mode=Mode.REMOVE)
    drop(office, FILE, names(12))
    assert look(office) == 1
    work(office)
    assert users_left(office) == 14
    waiting = batch_that_waits(office)
    assert (waiting.state, waiting.actor_name) == (BatchState.PAUSED, "berta")
    assert office.finish(approve(second, waiting)).counts.removed == 12


def batch_that_waits(office: Office) -> Batch:
    with office.runtime.reads() as session:
        batch_id = session.scalars(select(RemovalApproval.batch_id)).one()
    return office.batch(batch_id)


def is_approved(office: Office, batch: Batch) -> bool:
    with office.runtime.reads() as session:
        return session.get_one(RemovalApproval, batch.id).at is not None


def queued(office: Office) -> list[str]:
    with office.runtime.reads() as session:
        return list(session.scalars(select(Job.id).where(Job.state == JobState.QUEUED)))


def _approve_and_die(second: Office, settings: Settings, batch: Batch, point: str) -> None:
    """In a child: approve with connections of its own, and be killed at `point`."""
    try:
        own = replace(second, runtime=Runtime.open(settings))

        def die(_session: Session) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        with own.runtime.sessions() as session:
            event.listen(session, point, die, insert=True)
            approving.approve(session, batch=batch, center=own.center, asking=own.asking())
            session.commit()
    finally:
        os._exit(1)
