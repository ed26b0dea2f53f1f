"""Jobs that only stand there, so that a file can be theirs."""

from uuid import uuid4

from sqlalchemy import update

from portal.jobs.models import Job, JobState
from portal.runtime import Runtime


def make_job(runtime: Runtime) -> str:
    """A running job."""
    job_id, now = uuid4().hex, runtime.clock()
    with runtime.sessions.begin() as session:
        session.add(
            Job(
                id=job_id,
                kind="datacenter.process",
                area="datacenter",
                title="Process a file",
                subject_kind="datacenter",
                subject_id="x",
                queue="bulk",
                idem_key=job_id,
                args={},
                state=JobState.RUNNING,
                requester_name="anna",
                created_at=now,
                updated_at=now,
            )
        )
    return job_id


def end_job(runtime: Runtime, job_id: str) -> None:
    with runtime.sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job_id).values(state=JobState.FAILED))
