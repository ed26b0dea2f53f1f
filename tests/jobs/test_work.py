"""What a task does with its work: log lines, short transactions; and what attempts leave behind."""

import threading

import pytest
from sqlalchemy import select, update

from portal.accounts.permissions import SYSTEM
from portal.db import db_now
from portal.errors import ConflictError
from portal.jobs import runner
from portal.jobs.leftovers import remove_leftovers
from portal.jobs.models import Job, JobLogLine
from portal.jobs.retention import prune
from portal.jobs.work import LINES_AT_ONCE, Work, attempts_folder
from tests.transactions import Transactions


@pytest.fixture
def work(jobs, engine, runtime):
    claim = runner.claim_job(jobs.queued(), engine=engine, worker="host:1")
    return Work(runtime=runtime, claim=claim, actor=SYSTEM, stopping=threading.Event())


def messages(runtime):
    with runtime.reads() as session:
        return list(session.scalars(select(JobLogLine.message).order_by(JobLogLine.id)))


def refuse(work):
    with work.effect():
        raise ConflictError("not now")


def test_log_lines_outlive_an_effect_that_is_rolled_back(work, runtime):
    work.log("before")
    with pytest.raises(ConflictError):
        refuse(work)
    with work.completion():
        work.log("inside")
    assert messages(runtime) == ["before", "inside"]


def test_ever_so_many_log_lines_are_written_in_order_and_in_short_transactions(work, runtime):
    transactions = Transactions(runtime.engine)
    lines = [str(number) for number in range(5 * LINES_AT_ONCE + 1)]
    for line in lines:
        work.log(line)
    with work.completion():
        pass
    assert messages(runtime) == lines
    transactions.assert_short()


def test_folders_of_jobs_long_over_are_removed_and_others_stay(jobs, runtime):
    over, running, unknown = jobs.ended(subject="1"), jobs.running(subject="2"), "0" * 32
    lately = jobs.ended(subject="3")
    with runtime.sessions.begin() as session:
        session.execute(update(Job).where(Job.id == over).values(ended_at=db_now(-4000)))
    for job_id in (over, running, unknown, lately):
        (attempts_folder(runtime, job_id) / "1").mkdir(parents=True)
    attempts_folder(runtime, f"{over}.before-2").mkdir()
    assert remove_leftovers(runtime) == 3
    left = {entry.name for entry in attempts_folder(runtime, "").iterdir()}
    assert left == {running, lately}


def test_many_old_lines_are_forgotten_in_short_transactions(work, runtime, clock):
    for number in range(1_200):
        work.log(str(number))
    with work.completion():
        pass
    transactions = Transactions(runtime.engine)
    clock.move(days=100)
    assert prune(runtime) >= 1_200
    transactions.assert_short()
