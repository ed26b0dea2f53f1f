"""A job that is tried again goes on with its file and its batch; it never begins them twice."""

import pytest
from sqlalchemy import func, select

from portal.accounts.permissions import Role
from portal.datacenter.again import ask_again
from portal.datacenter.batches import find_batch_of
from portal.datacenter.claims import forget_ended
from portal.datacenter.models import DataCenterClaim
from portal.datacenter.picking import pick_run
from portal.jobs import service as jobs
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from tests.datacenter.processing import Office, fail, open_office

MIXED = "name,email\nanna,anna@example.org\nbob,no address\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def retry(office: Office, job_id: str) -> JobState | None:
    """What the button of the job's page does, and then a worker."""
    asking = office.asking()
    with office.runtime.sessions.begin() as session:
        job = jobs.get_job(session, kinds=asking.kinds, actor=asking.actor, job_id=job_id)
        jobs.retry(
            session,
            kinds=asking.kinds,
            actor=asking.actor,
            job=job,
            waker=asking.waker,
            now=asking.now,
        )
    return perform(job_id, engine=office.engine)


@pytest.fixture
def taken_over(office: Office) -> str:
    """The id of a job that failed, and whose batch another job went on with."""
    office.put("users.csv", MIXED)
    first = office.ask(office.order("users.csv", "users"))
    batch = office.finish(first)
    with office.runtime.reads() as session:
        run = pick_run(session, asking=office.asking(), typed=batch.id)
    second = ask_again(office.runtime, run, asking=office.asking())
    assert office.finish(second).job_id == second != first
    fail(office, first)
    return first


def test_a_job_knows_its_batch_after_another_took_it_over(office: Office, taken_over: str) -> None:
    with office.runtime.reads() as session:
        job = session.scalars(select(Job).where(Job.id == taken_over)).one()
        assert find_batch_of(session, job) is not None


def test_a_new_attempt_does_not_begin_a_file_anew_that_another_job_went_on_with(
    office: Office, taken_over: str
) -> None:
    before = office.lying()
    assert retry(office, taken_over) is JobState.SUCCEEDED
    with office.runtime.reads() as session:
        assert session.scalar(select(func.count()).select_from(PORTAL_LEDGER.batch)) == 1
    assert office.lying() == before


def test_a_new_attempt_has_its_file_to_itself_again(office: Office) -> None:
    office.put("users.csv", MIXED)
    job_id = office.ask(office.order("users.csv", "users"))
    fail(office, job_id)
    with office.runtime.sessions.begin() as session:
        forget_ended(session)
    (office.center.storage / "users.csv").unlink()  # so that it fails, and its claim can be seen
    assert retry(office, job_id) is JobState.FAILED
    with office.runtime.reads() as session:
        assert session.scalars(select(DataCenterClaim.job_id)).all() == [job_id]
