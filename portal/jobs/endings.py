"""Ends that are not the task's own: its worker died, its time is over, its lease ran out."""

from collections.abc import Callable

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import db_now
from portal.jobs import outcomes
from portal.jobs.engine import JobEngine
from portal.jobs.lanes import wake_lane
from portal.jobs.ledger import Claim, LeaseLostError
from portal.jobs.models import Job, JobState
from portal.jobs.notices import announce
from portal.jobs.outcomes import End
from portal.jobs.wake import RedisWaker
from portal.jobs.work import remove_attempt

log = structlog.get_logger("portal.jobs")


def horse_died(engine: JobEngine, claim: Claim) -> None:
    """The work-horse of `claim` ended without saying how: queue the job again, or end it.

    It may have died after the job's end was committed; then what it left is tidied up all the same.
    """
    _lose(engine, claim, expired=False)
    remove_attempt(engine.runtime, claim)
    _next_in_lane(engine, claim)


def end_overdue(engine: JobEngine, claim: Claim, *, kill: Callable[[], None]) -> None:
    """The wall limit is reached: kill the work-horse, then say so in the job."""
    kill()
    limit = engine.kinds.get(claim.kind).wall_limit
    reason = f"It ran longer than the {limit} that such a job may take, and was ended."
    try:
        with engine.runtime.sessions.begin() as session:
            outcomes.finish(session, claim, End(state=JobState.FAILED, reason=reason))
            _announce(engine, session, claim.job_id)
    except LeaseLostError:
        log.warning("overdue job was no longer ours", job=claim.job_id)


def recover_expired(engine: JobEngine, *, limit: int = 100) -> int:
    """Decide on running jobs whose lease ran out; returns how many were touched."""
    with engine.runtime.reads() as session:
        claims = _expired(session, limit)
    return sum(_recover(engine, claim) for claim in claims)


def _expired(session: Session, limit: int) -> list[Claim]:
    rows = session.execute(
        select(
            Job.id.label("job_id"),
            Job.kind,
            Job.args,
            Job.queue,
            Job.attempt,
            Job.token,
            Job.lane,
            Job.requester_id,
        )
        .where(Job.state == JobState.RUNNING, Job.lease_until < db_now())
        .order_by(Job.number)
        .limit(limit)
    )
    return [Claim(**row._mapping) for row in rows]  # noqa: SLF001 (SQLAlchemy's public name)


def _recover(engine: JobEngine, claim: Claim) -> bool:
    if not _lose(engine, claim, expired=True):
        return False
    _next_in_lane(engine, claim)
    return True


def _lose(engine: JobEngine, claim: Claim, *, expired: bool) -> bool:
    kind = engine.kinds.find(claim.kind)
    with engine.runtime.sessions.begin() as session:
        state = outcomes.lose(
            session,
            claim,
            restartable=kind is None or kind.restartable,
            max_attempts=engine.runtime.settings.max_attempts,
            expired=expired,
        )
        if state is not None and not state.active:
            _announce(engine, session, claim.job_id)
    if state is None:
        return False
    log.warning("worker died", job=claim.job_id, attempt=claim.attempt, job_is_now=str(state))
    if state is JobState.QUEUED:
        RedisWaker(engine.runtime.redis)(claim.queue, claim.job_id)
    return True


def _announce(engine: JobEngine, session: Session, job_id: str) -> None:
    runtime = engine.runtime
    announce(session, job_id=job_id, settings=runtime.settings, now=runtime.clock())


def _next_in_lane(engine: JobEngine, claim: Claim) -> None:
    if claim.lane is not None:
        wake_lane(engine.runtime, claim.lane)
