"""Cut short and gone on with: pause, cancel, a stop of the portal, faults, rights taken away."""

import threading
import time

import pytest
from sqlalchemy import delete, select, update

from portal.accounts.actors import actor_of
from portal.accounts.models import User, UserRole
from portal.accounts.permissions import SYSTEM, Permission, Role
from portal.accounts.service import create_user
from portal.db import db_now
from portal.errors import ConflictError, ForbiddenError
from portal.jobs import runner
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.rows import service
from portal.rows.abandoned import stop_abandoned
from portal.rows.batch import BatchState
from portal.rows.engine import run_batch
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Processors
from tests.rows.batches import Batches
from tests.rows.kinds import kind_of
from tests.rows.people import ManyPeople, People, person, processor
from tests.rows.test_random import KilledError

ROWS = [person(number) for number in range(250)]


class Interrupting(People):
    """Does something of the test's before a certain row."""

    def __init__(self, at, interrupt):
        self.at, self.interrupt = at, interrupt

    def create(self, session, values, *, acting):
        if values["code"] == self.at:
            self.interrupt(session)
        return super().create(session, values, acting=acting)


class Forbidding(ManyPeople):
    """Nobody may create anybody."""

    def create_many(self, session, rows, *, acting):
        raise ForbiddenError("You may not create people.")


def die(_session):
    raise KilledError


def run_with(batches, batch_id, records=None, *, actor=SYSTEM, stopping=None, **values):
    """Run a batch with a processor of the test's own; returns its ended job."""
    processors = Processors((processor(batches.processor, records, **values),))

    def run(work, *, batch_id):
        run_batch(work, batch_id=batch_id, processors=processors)

    job_id = batches.submit(batch_id, actor=actor)
    kinds = Kinds((kind_of("run", run),))
    engine = JobEngine(runtime=batches.runtime, kinds=kinds)
    claim = runner.claim_job(job_id, engine=engine, worker="test")
    runner.execute(
        claim,
        engine=engine,
        claimed_at=time.monotonic(),
        stopping=stopping or threading.Event(),
    )
    with batches.runtime.reads() as session:
        return session.scalars(select(Job).where(Job.id == job_id)).one()


def pause(batches, batch_id):
    with batches.runtime.sessions.begin() as session:
        service.pause(session, batch_id=batch_id)


def resume(batches, batch_id):
    with batches.runtime.sessions.begin() as session:
        service.resume(session, batch_id=batch_id)
    return batches.run(batch_id)


def test_a_paused_batch_keeps_what_was_done_and_goes_on(each_way):
    batch_id = each_way.make(ROWS)
    pause(each_way, batch_id)
    paused = each_way.run(batch_id)
    assert paused.state is BatchState.PAUSED
    assert each_way.shown(batch_id).state is BatchState.PAUSED
    done = resume(each_way, batch_id)
    assert (done.state, done.counts.created) == (BatchState.DONE, 250)


def test_a_batch_pauses_between_two_chunks(batches):
    batch_id = batches.make(ROWS)
    asking = Interrupting("c120", lambda session: service.pause(session, batch_id=batch_id))
    assert run_with(batches, batch_id, asking).state == JobState.SUCCEEDED
    paused = batches.batch(batch_id)
    assert paused.state is BatchState.PAUSED
    assert 120 < paused.counts.created < 250
    assert paused.counts.unprocessed == 250 - paused.counts.created
    assert resume(batches, batch_id).counts.created == 250


def test_a_cancelled_batch_leaves_the_rest_unprocessed_and_can_go_on(batches):
    batch_id = batches.make(ROWS)

    stopping = threading.Event()

    def cancel(session):
        session.execute(update(Job).values(cancel_requested_at=db_now()))
        stopping.set()  # a job that is to stop looks at once whether it was cancelled

    job = run_with(batches, batch_id, Interrupting("c120", cancel), stopping=stopping)
    assert job.state == JobState.CANCELLED
    cancelled = batches.batch(batch_id)
    assert cancelled.state is BatchState.CANCELLED
    assert cancelled.counts.unprocessed == 250 - cancelled.counts.created > 0
    assert resume(batches, batch_id).counts.created == 250


def test_a_paused_batch_that_is_given_up_stays_as_it_is(each_way):
    batch_id = each_way.make(ROWS)
    pause(each_way, batch_id)
    each_way.run(batch_id)
    with each_way.books.write() as session:
        now = each_way.runtime.clock()
        service.give_up(session, batch_id=batch_id, tables=each_way.books.tables, now=now)
    batch = each_way.batch(batch_id)
    assert batch.state is BatchState.CANCELLED
    assert batch.counts.unprocessed == 250


def test_a_done_batch_is_not_paused(batches):
    batch = batches.done([person(1)])
    with pytest.raises(ConflictError, match="waits or runs"):
        pause(batches, batch.id)


def test_a_fault_that_nobody_foresaw_fails_its_row_only(batches):
    def fault(_session):
        raise RuntimeError("secret")

    batch_id = batches.make(ROWS[:5])
    run_with(batches, batch_id, Interrupting("c2", fault))
    assert batches.batch(batch_id).counts.created == 4
    assert "secret" not in str(batches.errors(batch_id))
    assert "went wrong" in batches.errors(batch_id)[3][""][0]


def test_a_full_disk_stops_the_batch_and_a_retry_goes_on(batches):
    def full(_session):
        raise OSError(28, "No space left on device")

    batch_id = batches.make(ROWS)
    job = run_with(batches, batch_id, Interrupting("c150", full))
    assert job.state == JobState.FAILED
    stopped = batches.batch(batch_id)
    assert stopped.state is BatchState.STOPPED
    assert stopped.counts.created == stopped.next_row - 1
    assert 0 < stopped.counts.unprocessed < 250
    assert resume(batches, batch_id).counts.created == 250


def test_a_stop_of_the_portal_gives_the_batch_back(batches):
    batch_id = batches.make(ROWS)
    stopping = threading.Event()
    asking = Interrupting("c120", lambda _session: stopping.set())
    assert run_with(batches, batch_id, asking, stopping=stopping).state == JobState.QUEUED
    given_back = batches.batch(batch_id)
    assert given_back.state is BatchState.WAITING
    assert 120 < given_back.counts.created < 250


def test_what_may_not_be_repeated_waits_for_a_person_when_its_worker_died(batches):
    batch_id = batches.make(ROWS)
    dying = Interrupting("c120", die)
    with pytest.raises(KilledError):
        run_with(batches, batch_id, dying, repeatable=False)
    with batches.runtime.sessions.begin() as session:
        session.execute(update(Job).values(state=str(JobState.INTERRUPTED)))
    again = run_with(batches, batch_id, repeatable=False)
    assert again.state == JobState.FAILED
    assert "look before" in again.reason
    assert run_with(batches, batch_id, repeatable=False).state == JobState.SUCCEEDED
    assert batches.batch(batch_id).counts.created == 250


def test_a_right_on_all_records_that_is_gone_stops_the_batch(runtime, tmp_path):
    batches = Batches(runtime, tmp_path, "unique")
    batch_id = batches.make(ROWS)
    job = run_with(batches, batch_id, Forbidding(), unique=True)
    assert (job.state, job.reason) == (JobState.FAILED, "You may not create people.")
    assert batches.batch(batch_id).counts.unprocessed == 250


def test_who_lacks_the_processors_right_is_refused_by_the_worker(batches):
    with batches.runtime.sessions.begin() as session:
        user = create_user(
            session,
            actor=SYSTEM,
            name="anna",
            roles=(),
            password=None,
            now=batches.runtime.clock(),
        )
        anna = actor_of(user)
    batch_id = batches.make([person(1)])
    job = run_with(batches, batch_id, actor=anna, permission=Permission.USERS_MANAGE)
    assert job.state == JobState.FAILED
    assert "may not process" in job.reason
    assert batches.people() == {}


def test_a_batch_left_by_a_dead_worker_is_set_free(each_way):
    batch = each_way.done([person(1, age="x")])
    table = each_way.books.tables.batch
    each_way.change(table.update().values(state=str(BatchState.RUNNING)))
    if table is not PORTAL_LEDGER.batch:
        with each_way.runtime.sessions.begin() as session:
            session.execute(PORTAL_LEDGER.batch.update().values(state=str(BatchState.RUNNING)))
    assert stop_abandoned(each_way.runtime) == 1
    each_way.edit(batch.id, 1, {2: "5"})
    assert each_way.retry(batch.id).counts.created == 1


def test_a_batch_whose_job_is_active_is_not_set_free(batches):
    batch = batches.done([person(1)])
    job_id = batches.submit(batch.id)
    batches.change(
        PORTAL_LEDGER.batch.update().values(state=str(BatchState.RUNNING), job_id=job_id)
    )
    assert stop_abandoned(batches.runtime) == 0


def clerk_of(batches):
    with batches.runtime.sessions.begin() as session:
        user = create_user(
            session,
            actor=SYSTEM,
            name="clerk",
            roles=(Role.ADMIN,),
            now=batches.runtime.clock(),
            password=None,
        )
        return actor_of(user)


@pytest.mark.parametrize(
    ("taken", "reason"),
    [
        (delete(UserRole), "You may not process People."),
        (update(User).values(enabled=False), "disabled or gone"),
    ],
)
def test_a_right_that_is_taken_away_stops_the_batch_between_two_chunks(batches, taken, reason):
    clerk, batch_id = clerk_of(batches), batches.make(ROWS)
    taking = Interrupting("c120", lambda session: session.execute(taken))
    needed = Permission.USERS_MANAGE
    job = run_with(batches, batch_id, taking, actor=clerk, permission=needed)
    assert job.state == JobState.FAILED
    assert reason in job.reason
    stopped = batches.batch(batch_id)
    assert stopped.state is BatchState.STOPPED
    assert 120 < stopped.counts.created < 250
    assert stopped.counts.unprocessed == 250 - stopped.counts.created
    assert resume(batches, batch_id).counts.created == 250
