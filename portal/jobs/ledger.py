"""Who holds a job: claims, each a conditional UPDATE, so who meets no row changes nothing.

A running job belongs to the holder of its token. A claim raises the token, so what an older holder
still does is refused (fencing). Services and the runner call these inside their own transactions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, and_, or_, select, update
from sqlalchemy.orm import Session

from portal.db import changed, db_now
from portal.jobs.models import Job, JobAttempt, JobState

# Tables instead of mapped classes: these statements run for every job, in a fresh process each.
JOB = cast("Table", Job.__table__)
ATTEMPT = cast("Table", JobAttempt.__table__)
_AHEAD = JOB.alias("ahead")
_LANE_BUSY = (
    select(_AHEAD.c.number)
    .where(
        _AHEAD.c.lane == JOB.c.lane,
        or_(
            _AHEAD.c.state == JobState.RUNNING,
            and_(_AHEAD.c.state == JobState.QUEUED, _AHEAD.c.number < JOB.c.number),
        ),
    )
    .exists()
)
_CLAIMED = JOB.c["kind", "args", "queue", "attempt", "token", "lane", "requester_id"]


class LeaseLostError(BaseException):
    """The job belongs to somebody else now. Not an Exception: no task may swallow it."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that this process may work on, for as long as its token stands."""

    job_id: str
    kind: str
    args: dict[str, Any]
    queue: str
    attempt: int
    token: int
    lane: str | None
    requester_id: int | None


def claim(session: Session, *, job_id: str, worker: str, lease_seconds: float) -> Claim | None:
    """Take a queued job: raise its token, start its lease. None where there is nothing to take.

    A job whose lane is busy, or has an older job waiting, is left as it is. Raises IntegrityError
    where another worker takes the lane in this very moment.
    """
    statement = (
        update(JOB)
        .where(JOB.c.id == job_id, JOB.c.state == JobState.QUEUED, ~_LANE_BUSY)
        .values(
            state=JobState.RUNNING,
            token=JOB.c.token + 1,
            lease_until=db_now(lease_seconds),
            started_at=db_now(),
            updated_at=db_now(),
        )
        .returning(*_CLAIMED)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    taken = Claim(job_id=job_id, **row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)
    note_attempt(
        session,
        taken.job_id,
        taken.attempt,
        state=JobState.RUNNING,
        token=taken.token,
        worker=worker,
        started_at=db_now(),
    )
    return taken


def fence(session: Session, claim: Claim) -> datetime | None:
    """First statement of every transaction with an effect; returns when a cancel was asked for.

    Raises LeaseLostError where the token is no longer ours.
    """
    row = session.execute(
        update(JOB)
        .where(*held(claim))
        .values(updated_at=db_now())
        .returning(JOB.c.cancel_requested_at)
    ).one_or_none()
    if row is None:
        raise LeaseLostError(claim.job_id)
    asked_at: datetime | None = row.cancel_requested_at
    return asked_at


def renew(session: Session, claim: Claim, *, lease_seconds: float) -> bool:
    """Prolong the lease; False where the job is no longer ours."""
    statement = update(JOB).where(*held(claim)).values(lease_until=db_now(lease_seconds))
    return changed(session, statement) == 1


def note_attempt(session: Session, job_id: str, number: int, **values: Any) -> None:
    """Write down what became of an attempt; its job's row has decided already."""
    session.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.job_id == job_id, ATTEMPT.c.number == number)
        .values(**values)
    )


def held(claim: Claim) -> tuple[Any, ...]:
    """The conditions under which a job is still the claim's own."""
    return (JOB.c.id == claim.job_id, JOB.c.token == claim.token, JOB.c.state == JobState.RUNNING)
