"""Lanes: of the jobs in one lane one runs at a time, oldest first."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.jobs.models import Job, JobState
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime


def wake_lane(runtime: Runtime, lane: str) -> None:
    """Tell workers of the oldest job that waits in `lane`; none waiting is fine."""
    with runtime.reads() as session:
        row = session.execute(
            select(Job.queue, Job.id)
            .where(Job.lane == lane, Job.state == JobState.QUEUED)
            .order_by(Job.number)
            .limit(1)
        ).one_or_none()
    if row is not None:
        RedisWaker(runtime.redis)(row.queue, row.id)


def find_blocker(session: Session, job: Job) -> Job | None:
    """The job for which a queued `job` waits in its lane, None where it waits for none."""
    if job.lane is None or job.state != JobState.QUEUED:
        return None
    ahead = Job.number < job.number
    return session.scalars(
        select(Job)
        .where(Job.lane == job.lane, Job.id != job.id)
        .where((Job.state == JobState.RUNNING) | ((Job.state == JobState.QUEUED) & ahead))
        .order_by(Job.state.desc(), Job.number)
        .limit(1)
    ).first()
