from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from portal.jobs.models import Job
from portal.jobs.status import JobStatus, status_of


def still() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_new_status_is_nothing_yet():
    status = JobStatus("foo", still)
    assert (status.name, status.starttime) == ("foo", None)
    assert not any((status.running, status.succeeded, status.hung, status.failed))


def test_started_work_runs_and_was_updated_when_it_started():
    status = JobStatus("foo", still)
    status.start()
    assert status.running
    assert status.updatetime == status.starttime == still()


def test_finished_work_was_updated_after_its_start_even_when_the_clock_stands_still():
    status = JobStatus("foo", still)
    status.start()
    status.finish()
    assert status.succeeded
    assert not status.running
    assert status.updatetime > status.starttime


def test_work_that_failed_after_it_finished_has_not_succeeded():
    status = JobStatus("foo", still)
    status.start()
    status.finish()
    status.fail()
    assert status.failed
    assert not status.succeeded
    assert status.updatetime > status.starttime


def test_work_can_be_started_again():
    status = JobStatus("foo", still)
    status.start()
    status.fail()
    status.start()
    assert status.running
    assert not status.failed


def test_work_hangs_once_it_ran_for_more_than_six_hours():
    status = JobStatus("foo", still)
    status.start()
    status.starttime -= timedelta(hours=6)
    assert not status.hung
    status.starttime -= timedelta(seconds=1)
    assert status.hung


def test_ended_work_never_hangs():
    status = JobStatus("foo", still)
    status.start()
    status.finish()
    status.starttime -= timedelta(days=10)
    assert not status.hung


def test_a_succeeded_job_has_the_words_of_success(jobs, runtime):
    job_id = jobs.ended("nothing")
    with runtime.reads() as session:
        job = session.scalars(select(Job).where(Job.id == job_id)).one()
    status = status_of(job, clock=runtime.clock)
    assert status.succeeded
    assert not any((status.running, status.failed, status.hung))
