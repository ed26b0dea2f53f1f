"""Lanes: of the jobs in one lane one runs at a time, oldest first."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from portal.db import Reader
from portal.jobs.models import Job, JobState
from portal.jobs.wake import RedisWaker, Waker, wake_after_commit
from portal.runtime import Runtime


def wake_lane(runtime: Runtime, lane: str) -> None:
    """Tell workers of the oldest job that waits in `lane`; none waiting is fine."""
    with runtime.reads() as session:
        row = _find_next(session, lane)
    if row is not None:
        RedisWaker(runtime.redis)(row.queue, row.id)


def wake_lane_after_commit(session: Session, waker: Waker, *, lane: str) -> None:
    """The same once the transaction is committed, by what waits in `lane` in its eyes."""
    row = _find_next(session, lane)
    if row is not None:
        wake_after_commit(session, waker, queue=row.queue, job_id=row.id)


def find_blocker(reader: Reader, row: Any) -> Row[*tuple[Any, ...]] | None:
    """The job (id, title, requester_id) for which a queued one waits in its lane, None for none.

    `row` is a job, or a row with its id, number, lane and state.
    """
    if row.lane is None or row.state != JobState.QUEUED:
        return None
    ahead = Job.number < row.number
    return reader.execute(
        select(Job.id, Job.title, Job.requester_id)
        .where(Job.lane == row.lane, Job.id != row.id)
        .where((Job.state == JobState.RUNNING) | ((Job.state == JobState.QUEUED) & ahead))
        .order_by(Job.state.desc(), Job.number)
        .limit(1)
    ).one_or_none()


def _find_next(reader: Reader, lane: str) -> Row[*tuple[Any, ...]] | None:
    return reader.execute(
        select(Job.queue, Job.id)
        .where(Job.lane == lane, Job.state == JobState.QUEUED)
        .order_by(Job.number)
        .limit(1)
    ).one_or_none()
