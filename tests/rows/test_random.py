"""Whatever happens to a batch, in whatever order (fixed seeds): its sum and its records agree."""

import random
import threading
import time

import pytest
from sqlalchemy import select, update

from portal.db import db_now
from portal.jobs import outcomes, runner
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.rows import service
from portal.rows.batch import BatchState, Outcome
from portal.rows.engine import run_batch
from portal.rows.processors import Processors, Store
from portal.rows.undo import undo_batch
from tests.rows.batches import Batches
from tests.rows.kinds import kind_of
from tests.rows.people import ManyPeople, People, person, processor

SEEDS = range(4)
STEPS = 14
SIZE = 400


class KilledError(BaseException):
    """As if the process had ended here: nothing of ours can catch it."""


class Mortal:
    """Records that are killed now and then when they create or remove one."""

    def __init__(self, chance):
        self.chance = chance
        self.risk = 0.0

    def create(self, session, values, *, acting):
        self._live()
        return super().create(session, values, acting=acting)

    def remove(self, session, record, *, acting):
        self._live()
        super().remove(session, record, acting=acting)

    def create_many(self, session, rows, *, acting):
        self._live()
        return super().create_many(session, rows, acting=acting)

    def _live(self):
        if self.chance.random() < self.risk:
            raise KilledError


class MortalPeople(Mortal, People):
    pass


class MortalMany(Mortal, ManyPeople):
    pass


class Life:
    """A batch to which things happen."""

    def __init__(self, batches, records, seed, **values):
        self.batches = batches
        self.chance = random.Random(seed)
        self.records = records
        self.processors = Processors((processor(batches.processor, records, **values),))
        kinds = (kind_of("run", self._run), kind_of("undo", self._undo))
        self.engine = JobEngine(runtime=batches.runtime, kinds=Kinds(kinds))
        self.batch_id = batches.make([self._row(number) for number in range(SIZE)])

    def _row(self, number):
        age = "x" if self.chance.random() < 0.1 else "5"
        twin = number and self.chance.random() < 0.05
        return person(self.chance.randrange(number) if twin else number, age=age)

    def _run(self, work, *, batch_id):
        run_batch(work, batch_id=batch_id, processors=self.processors)

    def _undo(self, work, *, batch_id):
        undo_batch(work, batch_id=batch_id, processors=self.processors)

    def work(self, task="run", *, risk=0.0):
        """One attempt at a job for the batch; it may be killed on the way."""
        self.records.risk = risk
        job_id = self.batches.submit(self.batch_id, task)
        claim = runner.claim_job(job_id, engine=self.engine, worker="test")
        stopping, now = threading.Event(), time.monotonic()
        try:
            runner.execute(claim, engine=self.engine, claimed_at=now, stopping=stopping)
        except KilledError:
            with self.batches.runtime.sessions.begin() as session:
                outcomes.lose(session, claim, restartable=True, max_attempts=10_000)

    def pause(self):
        with self.batches.runtime.sessions.begin() as session:
            if self.batch.state in (BatchState.WAITING, BatchState.RUNNING):
                service.pause(session, batch_id=self.batch_id)

    def resume(self):
        with self.batches.runtime.sessions.begin() as session:
            if self.batch.state is not BatchState.DONE:
                service.resume(session, batch_id=self.batch_id)

    def cancel(self):
        """Ask for a job and cancel it before it begins to work."""
        self.batches.submit(self.batch_id)
        with self.batches.runtime.sessions.begin() as session:
            active = Job.state.in_([JobState.QUEUED, JobState.RUNNING])
            session.execute(update(Job).where(active).values(cancel_requested_at=db_now()))
        self.work()

    def edit_and_retry(self):
        failed = self._failed()
        if not failed or self.batch.state is BatchState.RUNNING:
            return
        chosen = self.chance.sample(failed, min(7, len(failed)))
        for row in chosen:
            self.batches.edit(self.batch_id, row, {0: f"new{row}", 2: "6"})
        with self.batches.books.write() as session:
            tables = self.batches.books.tables
            asked = service.retry(session, batch_id=self.batch_id, rows=chosen, tables=tables)
        with self.batches.runtime.sessions.begin() as session:
            service.show(session, batch=asked)

    def skip(self):
        failed = self._failed()
        if failed and self.batch.state is not BatchState.RUNNING:
            self.batches.skip(self.batch_id, failed[:3])

    def _failed(self):
        told = self.batches.outcomes(self.batch_id) if self.batch.counts.processed else {}
        return [row for row, outcome in told.items() if outcome == "failed"]

    @property
    def batch(self):
        with self.batches.books.read() as session:
            tables = self.batches.books.tables
            known = session.scalar(
                select(tables.batch.c.id).where(tables.batch.c.id == self.batch_id)
            )
        found = self.batches.batch if known else self.batches.shown
        return found(self.batch_id)

    def check(self):
        """Fates, sum and records tell the same."""
        batch = self.batch
        if batch.counts.total is None:
            assert batch.counts.processed == 0
            return
        told = self.batches.outcomes(self.batch_id)
        assert list(told) == list(range(1, batch.next_row))
        for outcome in Outcome:
            assert list(told.values()).count(outcome) == getattr(batch.counts, outcome)
        assert batch.counts.unprocessed == SIZE - (batch.next_row - 1)
        assert len(self.batches.people()) == batch.counts.created


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("store", list(Store))
def test_sum_and_records_agree_whatever_happens(runtime, tmp_path, seed, store):
    if store is Store.PORTAL:
        batches = Batches(runtime, tmp_path)
        life = Life(batches, MortalPeople(random.Random(seed)), seed)
    else:
        batches = Batches(runtime, tmp_path, "table")
        many = MortalMany(random.Random(seed))
        life = Life(batches, many, seed, unique=True, store=store)
    happenings = (
        lambda: life.work(risk=0.01 if store is Store.PORTAL else 0.5),
        lambda: life.work(risk=0.01 if store is Store.PORTAL else 0.5),
        life.pause,
        life.resume,
        life.cancel,
        life.edit_and_retry,
        life.skip,
    )
    for _ in range(STEPS):
        life.chance.choice(happenings)()
        life.check()
    life.resume()
    life.work()
    life.check()
    assert life.batch.state is BatchState.DONE
    for _ in range(3):
        life.work("undo", risk=0.01)
    life.work("undo")
    assert life.batch.state is BatchState.UNDONE
    assert batches.people() == {}
