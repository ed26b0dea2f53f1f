"""Every change of a job's state, each a conditional UPDATE: who meets no row changes nothing.

A running job belongs to the holder of its token. A claim raises the token, so what an older holder
still does is refused (fencing). Services and the runner call these inside their own transactions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from portal.db import changed, db_now
from portal.jobs.models import ENDED, Job, JobAttempt, JobState

RETRYABLE = ENDED - {JobState.SUCCEEDED}


class LeaseLostError(BaseException):
    """The job belongs to somebody else now. Not an Exception: no task may swallow it."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that this process may work on, for as long as its token stands."""

    job_id: str
    kind: str
    args: dict[str, Any]
    attempt: int
    token: int
    lane: str | None
    requester_id: int | None


@dataclass(frozen=True, kw_only=True)
class End:
    """How an attempt ends."""

    state: JobState
    reason: str = ""
    traceback: str = ""
    result: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None


def claim(session: Session, *, job_id: str, worker: str, lease_seconds: float) -> Claim | None:
    """Take a queued job: raise its token, start its lease. None where there is nothing to take.

    A job whose lane is busy, or has an older job waiting, is left as it is.
    """
    ahead = aliased(Job)
    lane_busy = select(ahead.number).where(
        ahead.lane == Job.lane,
        or_(
            ahead.state == JobState.RUNNING,
            and_(ahead.state == JobState.QUEUED, ahead.number < Job.number),
        ),
    )
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.state == JobState.QUEUED, ~lane_busy.exists())
        .values(
            state=JobState.RUNNING,
            token=Job.token + 1,
            lease_until=db_now(lease_seconds),
            started_at=db_now(),
            updated_at=db_now(),
        )
        .returning(Job.kind, Job.args, Job.attempt, Job.token, Job.lane, Job.requester_id)
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            row = session.execute(statement).one_or_none()
    except IntegrityError:  # another worker took the lane in this very moment
        return None
    if row is None:
        return None
    taken = Claim(job_id=job_id, **row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)
    _attempt(
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
        update(Job)
        .where(*_held(claim))
        .values(updated_at=db_now())
        .returning(Job.cancel_requested_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise LeaseLostError(claim.job_id)
    asked_at: datetime | None = row.cancel_requested_at
    return asked_at


def renew(session: Session, claim: Claim, *, lease_seconds: float) -> bool:
    """Prolong the lease; False where the job is no longer ours."""
    statement = update(Job).where(*_held(claim)).values(lease_until=db_now(lease_seconds))
    return changed(session, statement.execution_options(synchronize_session=False)) == 1


def finish(session: Session, claim: Claim, end: End) -> None:
    """End the attempt and the job; raise LeaseLostError where it is no longer ours."""
    if not _end(session, claim.job_id, claim.attempt, end, *_held(claim)):
        raise LeaseLostError(claim.job_id)


def release(session: Session, claim: Claim, *, reason: str) -> None:
    """Give a job back to its queue: the portal stops, the next start goes on with a new attempt."""
    if not _again(session, claim, reason, crashes=0, conditions=_held(claim)):
        raise LeaseLostError(claim.job_id)


def lose(
    session: Session, claim: Claim, *, restartable: bool, max_attempts: int, expired: bool = False
) -> JobState | None:
    """Decide on a running job whose worker died; returns its new state, None where it lives.

    Restartable work is tried again, `max_attempts` times in all; then it is poisoned and failed.
    With `expired`, only a job whose lease ran out is touched.
    """
    conditions = _held(claim)
    if expired:
        conditions = (*conditions, Job.lease_until < db_now())
    job = session.execute(
        select(Job.crashes, Job.cancel_requested_at).where(*conditions).with_for_update()
    ).one_or_none()
    if job is None:
        return None
    end = _verdict(
        cancelled=job.cancel_requested_at is not None,
        restartable=restartable,
        crashes=job.crashes + 1,
        max_attempts=max_attempts,
    )
    if end is None:
        reason = "Its worker died; it was queued again."
        again = _again(session, claim, reason, crashes=1, conditions=conditions)
        return JobState.QUEUED if again else None
    return end.state if _end(session, claim.job_id, claim.attempt, end, *conditions) else None


def cancel_queued(session: Session, job_id: str, *, reason: str) -> bool:
    """End a job that has not begun; False where it is not queued (any more)."""
    attempt = session.scalar(select(Job.attempt).where(Job.id == job_id))
    end = End(state=JobState.CANCELLED, reason=reason)
    conditions = (Job.id == job_id, Job.state == JobState.QUEUED, Job.attempt == attempt)
    return attempt is not None and _end(session, job_id, attempt, end, *conditions)


def ask_to_stop(session: Session, job_id: str) -> bool:
    """Ask a running job to stop at its next safe point; False where it does not run."""
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.state == JobState.RUNNING)
        .values(cancel_requested_at=db_now(), updated_at=db_now())
    )
    return changed(session, statement.execution_options(synchronize_session=False)) == 1


def queue_again(session: Session, job_id: str) -> bool:
    """Make a new attempt of an ended job; False where it may not be tried again now.

    Raises IntegrityError (inside a savepoint) where an equal job is active.
    """
    with session.begin_nested():
        row = session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(RETRYABLE))
            .values(
                state=JobState.QUEUED,
                attempt=Job.attempt + 1,
                crashes=0,
                reason="",
                ended_at=None,
                cancel_requested_at=None,
                woken_at=db_now(),
                updated_at=db_now(),
            )
            .returning(Job.attempt)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    if row is None:
        return False
    session.add(JobAttempt(job_id=job_id, number=row.attempt, queued_at=_now(session)))
    session.flush()
    return True


def _verdict(*, cancelled: bool, restartable: bool, crashes: int, max_attempts: int) -> End | None:
    """What becomes of a job whose worker died: an end, or None for another try."""
    if cancelled:
        return End(state=JobState.CANCELLED, reason="It was cancelled while its worker died.")
    if not restartable:
        return End(
            state=JobState.INTERRUPTED,
            reason="Its worker died. It may have done part of its work; look before you retry.",
        )
    if crashes >= max_attempts:
        return End(
            state=JobState.FAILED,
            reason=f"Its worker died {crashes} times in a row (poisoned); it was not tried again.",
        )
    return None


def _held(claim: Claim) -> tuple[Any, ...]:
    return (Job.id == claim.job_id, Job.token == claim.token, Job.state == JobState.RUNNING)


def _end(session: Session, job_id: str, attempt: int, end: End, *conditions: Any) -> bool:
    values: dict[str, Any] = {
        "state": end.state,
        "reason": end.reason,
        "ended_at": db_now(),
        "updated_at": db_now(),
        "lease_until": None,
    }
    values |= {
        name: value
        for name, value in (("result", end.result), ("progress", end.progress))
        if value is not None
    }
    statement = update(Job).where(*conditions).values(**values)
    if changed(session, statement.execution_options(synchronize_session=False)) == 0:
        return False
    _attempt(
        session,
        job_id,
        attempt,
        state=end.state,
        reason=end.reason,
        traceback=end.traceback,
        ended_at=db_now(),
    )
    return True


def _again(
    session: Session, claim: Claim, reason: str, *, crashes: int, conditions: tuple[Any, ...]
) -> bool:
    statement = (
        update(Job)
        .where(*conditions)
        .values(
            state=JobState.QUEUED,
            attempt=Job.attempt + 1,
            crashes=Job.crashes + crashes,
            lease_until=None,
            woken_at=None,
            updated_at=db_now(),
        )
    )
    if changed(session, statement.execution_options(synchronize_session=False)) == 0:
        return False
    _attempt(
        session,
        claim.job_id,
        claim.attempt,
        state=JobState.INTERRUPTED,
        reason=reason,
        ended_at=db_now(),
    )
    session.add(JobAttempt(job_id=claim.job_id, number=claim.attempt + 1, queued_at=_now(session)))
    session.flush()
    return True


def _attempt(session: Session, job_id: str, number: int, **values: Any) -> None:
    session.execute(
        update(JobAttempt)
        .where(JobAttempt.job_id == job_id, JobAttempt.number == number)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _now(session: Session) -> datetime:
    return session.execute(select(db_now())).scalar_one()
