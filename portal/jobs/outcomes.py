"""What becomes of a job: it ends, or it is queued again; each a conditional UPDATE of its row.

Services and the runner call these inside their own transactions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.db import changed, db_now
from portal.jobs.ledger import JOB, Claim, LeaseLostError, held, note_attempt
from portal.jobs.models import ENDED, JobAttempt, JobState

RETRYABLE = ENDED - {JobState.SUCCEEDED}


@dataclass(frozen=True, kw_only=True)
class End:
    """How an attempt ends. `told`: whom it concerns knows of it, and is not told again."""

    state: JobState
    reason: str = ""
    traceback: str = ""
    result: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None
    told: bool = False


def finish(session: Session, claim: Claim, end: End) -> None:
    """End the attempt and the job; raise LeaseLostError where it is no longer ours."""
    if not _end(session, claim.job_id, claim.attempt, end, *held(claim)):
        raise LeaseLostError(claim.job_id)


def release(session: Session, claim: Claim, *, reason: str) -> None:
    """Give a job back to its queue: the portal stops, the next start goes on with a new attempt."""
    if not _again(session, claim, reason, crashes=0, conditions=held(claim)):
        raise LeaseLostError(claim.job_id)


def lose(
    session: Session, claim: Claim, *, restartable: bool, max_attempts: int, expired: bool = False
) -> JobState | None:
    """Decide on a running job whose worker died; returns its new state, None where it lives.

    Restartable work is tried again, `max_attempts` times in all; then it is poisoned and failed.
    With `expired`, only a job whose lease ran out is touched. A row that a frozen process still
    holds locked is left for the next round.
    """
    conditions = held(claim)
    if expired:
        conditions = (*conditions, JOB.c.lease_until < db_now())
    found = select(JOB.c.crashes, JOB.c.cancel_requested_at).where(*conditions)
    job = session.execute(found.with_for_update(skip_locked=True)).one_or_none()
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
    attempt = session.scalar(select(JOB.c.attempt).where(JOB.c.id == job_id))
    end = End(state=JobState.CANCELLED, reason=reason)
    conditions = (JOB.c.id == job_id, JOB.c.state == JobState.QUEUED, JOB.c.attempt == attempt)
    return attempt is not None and _end(session, job_id, attempt, end, *conditions)


def ask_to_stop(session: Session, job_id: str) -> bool:
    """Ask a running job to stop at its next safe point; False where it does not run."""
    statement = (
        update(JOB)
        .where(JOB.c.id == job_id, JOB.c.state == JobState.RUNNING)
        .values(cancel_requested_at=db_now(), updated_at=db_now())
    )
    return changed(session, statement) == 1


def queue_again(session: Session, job_id: str) -> bool:
    """Make a new attempt of an ended job; False where it may not be tried again now.

    Raises IntegrityError (inside a savepoint) where an equal job is active.
    """
    with session.begin_nested():
        row = session.execute(
            update(JOB)
            .where(JOB.c.id == job_id, JOB.c.state.in_(RETRYABLE))
            .values(
                state=JobState.QUEUED,
                attempt=JOB.c.attempt + 1,
                crashes=0,
                reason="",
                ended_at=None,
                cancel_requested_at=None,
                woken_at=db_now(),
                updated_at=db_now(),
            )
            .returning(JOB.c.attempt)
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
    statement = update(JOB).where(*conditions).values(**values)
    if changed(session, statement) == 0:
        return False
    note_attempt(
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
        update(JOB)
        .where(*conditions)
        .values(
            state=JobState.QUEUED,
            attempt=JOB.c.attempt + 1,
            crashes=JOB.c.crashes + crashes,
            lease_until=None,
            woken_at=None,
            updated_at=db_now(),
        )
    )
    if changed(session, statement) == 0:
        return False
    note_attempt(
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


def _now(session: Session) -> datetime:
    return session.execute(select(db_now())).scalar_one()
