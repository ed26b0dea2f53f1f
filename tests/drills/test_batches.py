"""Batches whose work-horses are killed around commits: nothing lost, nothing twice."""

import os
import random
import signal
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from portal.jobs.models import Job, JobAttempt, JobState
from portal.jobs.wake import RedisWaker
from portal.rows.batch import BatchState
from portal.rows.processors import Mode
from portal.rows.service import retry
from portal.runtime import Runtime
from tests.drills.site import Site
from tests.rows.batches import Batches
from tests.rows.people import person
from tests.waiting import wait_until

ROWS = 330
FALLS = max(3, int(os.environ.get("DRILL_KILLS", "120")) // 20)
SEEDS = {"people": 1, "table": 2}
pytestmark = pytest.mark.timeout(600 + 20 * FALLS)


@pytest.fixture
def make_settings(make_settings, tmp_path, database):
    """The tables database is one file beside the portal's, or the same PostgreSQL."""
    sqlite = f"sqlite:///{tmp_path / 'tables.sqlite'}"
    tables = sqlite if database.startswith("sqlite") else database
    return lambda **values: make_settings(**({"tables_url": tables} | values))


class Drill:
    """A batch that is done on a site where work-horses fall."""

    def __init__(self, site: Site, processor: str, runtime: Runtime) -> None:
        self.site = site.with_attempts(1000)
        self.batches = Batches(runtime, site.folder, processor)
        self.chance = random.Random(SEEDS[processor])
        self.falls = site.folder / "falls"

    def let_fall(self, *falls: str) -> None:
        """Work-horses to come fall at these moments, one each."""
        self.falls.write_text("\n".join(falls))

    def falls_at_random(self) -> None:
        moments = [
            f"{self.chance.choice(('before', 'after'))} {self.chance.randint(1, 6)}"
            for _ in range(FALLS)
        ]
        self.let_fall(*moments)

    def start(self, role: str = "worker", by: str = "SIGKILL"):
        command = [sys.executable, "-m", "tests.drills.batch_process", role]
        return self.site.run(command, DRILL_FALLS=str(self.falls), DRILL_SIGNAL=by)

    def ask(self, batch_id: str, task: str = "run") -> str:
        job_id = self.batches.submit(batch_id, task)
        RedisWaker(self.site.runtime.redis)("bulk", job_id)
        return job_id

    def finish(self, job_id: str) -> Job:
        job = self.site.wait_for(job_id, JobState.SUCCEEDED, JobState.FAILED)
        assert job.state == JobState.SUCCEEDED, self._why(job)
        return job

    def _why(self, job: Job) -> str:
        """The reason, and what an administrator sees of each attempt."""
        query = select(JobAttempt.traceback).where(JobAttempt.job_id == job.id)
        traces = self.site.read(lambda session: session.scalars(query).all())
        return "\n".join((job.reason, *traces))

    def run(self, batch_id: str, task: str = "run") -> Job:
        """Do a batch with falls at random moments."""
        self.falls_at_random()
        self.start()
        self.start("reconciler")
        return self.finish(self.ask(batch_id, task))

    def check_rows(self, batch_id: str) -> None:
        """Every row has one fate, and the sum is that of the file."""
        batch = self.batches.batch(batch_id)
        entries = self.batches.entries(batch_id)
        covered = [n for e in entries for n in range(e.first_row, e.last_row + 1)]
        assert covered == list(range(1, batch.counts.total + 1))
        assert batch.counts.processed == batch.counts.total
        assert self.batches.shown(batch_id).counts == batch.counts


@pytest.fixture
def patient(site: Site) -> Iterator[Runtime]:
    """For jobs that this process does itself: it must not end at the short lease of the site."""
    runtime = Runtime.open(site.settings.model_copy(update={"lease_seconds": 600.0}))
    yield runtime
    runtime.close()


@pytest.fixture(params=["people", "table"])
def drill(request, site: Site, patient: Runtime) -> Drill:
    made = Drill(site, request.param, patient)
    size = ROWS // 2 if request.param == "people" else ROWS
    made.rows = [person(number, age="x" if number % 40 == 7 else "5") for number in range(size)]
    made.good = [row for row in made.rows if row["age"] != "x"]
    return made


def fill(drill: Drill) -> None:
    drill.batches.add(*({"code": row["code"], "name": "Old", "age": 1} for row in drill.rows))


def codes(rows):
    return {row["code"] for row in rows}


def test_each_record_is_created_once(drill):
    batch_id = drill.batches.make(drill.rows)
    job = drill.run(batch_id)
    assert job.attempt > 1
    assert set(drill.batches.people()) == codes(drill.good)
    drill.check_rows(batch_id)


def test_each_record_is_updated_once(drill):
    fill(drill)
    batch_id = drill.batches.make(drill.rows, mode=Mode.UPDATE)
    drill.run(batch_id)
    new = {row.code for row in drill.batches.people().values() if row.age == 5}
    assert new == codes(drill.good)
    assert drill.batches.batch(batch_id).counts.updated == len(new)
    drill.check_rows(batch_id)


def test_each_removed_record_is_in_the_backup_once(drill):
    fill(drill)
    batch_id = drill.batches.make(drill.rows[:-20], mode=Mode.REMOVE)
    drill.run(batch_id)
    assert set(drill.batches.people()) == codes(drill.rows[-20:])
    kept = drill.batches.backup(batch_id)
    assert len(kept) == len(set(kept)) == len(drill.rows) - 20
    drill.check_rows(batch_id)


def test_each_row_is_done_again_once(drill):
    batch = drill.batches.done([row | {"age": "x"} for row in drill.rows])
    with drill.batches.books.write() as session:
        tables = drill.batches.books.tables
        session.execute(tables.row.update().values(edited={"2": "5"}))
        retry(session, batch_id=batch.id, tables=tables)
    drill.run(batch.id)
    assert set(drill.batches.people()) == codes(drill.rows)
    assert drill.batches.batch(batch.id).counts.created == len(drill.rows)
    drill.check_rows(batch.id)


def test_each_effect_is_undone_once(drill):
    batch = drill.batches.done(drill.rows)
    drill.run(batch.id, "undo")
    undone = drill.batches.batch(batch.id)
    assert (undone.state, undone.undone) == (BatchState.UNDONE, len(drill.good))
    assert drill.batches.people() == {}


@pytest.mark.parametrize("whole", [False, True])
def test_a_death_between_the_two_commits_leaves_only_the_job_to_finish(site, patient, whole):
    drill = Drill(site, "table", patient)
    batch_id = drill.batches.make([person(1), person(2)], whole=whole)
    drill.let_fall("done")
    drill.start()
    drill.start("reconciler")
    job = drill.finish(drill.ask(batch_id))
    assert job.attempt == 2
    assert set(drill.batches.people()) == {"c1", "c2"}
    assert drill.batches.shown(batch_id).state is BatchState.DONE
    drill.check_rows(batch_id)


def test_all_or_nothing_is_all_and_once_whenever_work_horses_fall(site, patient):
    drill = Drill(site, "table", patient)
    rows = [person(number) for number in range(ROWS)]
    batch_id = drill.batches.make(rows, whole=True)
    job = drill.run(batch_id)
    assert job.attempt > 1
    assert set(drill.batches.people()) == codes(rows)
    assert drill.batches.batch(batch_id).state is BatchState.DONE
    drill.check_rows(batch_id)


def test_all_or_nothing_is_nothing_where_a_row_fails_whenever_work_horses_fall(site, patient):
    drill = Drill(site, "table", patient)
    bad = range(0, ROWS, 7)
    rows = [person(number, age="x" if number in bad else "5") for number in range(ROWS)]
    batch_id = drill.batches.make(rows, whole=True)
    assert drill.run(batch_id).attempt > 1
    assert drill.batches.people() == {}
    refused = drill.batches.batch(batch_id)
    assert (refused.state, refused.counts.failed) == (BatchState.REFUSED, len(bad))
    assert [entry.first_row for entry in drill.batches.entries(batch_id)] == [n + 1 for n in bad]
    assert drill.batches.shown(batch_id).counts == refused.counts


def test_a_work_horse_that_wakes_up_late_writes_nothing(drill):
    """It stops right after a commit, another one does the batch, then it is woken up."""
    batch_id = drill.batches.make(drill.rows)
    drill.let_fall("after 5")
    stopped = drill.start(by="SIGSTOP")
    job_id = drill.ask(batch_id)
    horse = drill.site.horse_of(stopped)
    wait_until(lambda: horse.status() == "stopped")
    stopped.send_signal(signal.SIGSTOP)
    drill.start()
    drill.start("reconciler")
    drill.finish(job_id)
    done = drill.batches.batch(batch_id)
    horse.resume()
    wait_until(lambda: not horse.is_running() or horse.status() == "zombie")
    assert drill.batches.batch(batch_id) == done
    assert set(drill.batches.people()) == codes(drill.good)
    drill.check_rows(batch_id)
