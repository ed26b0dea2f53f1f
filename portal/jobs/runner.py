"""Running one job: claim it, check the right again, do the work, record how it ended."""

import errno
import os
import shutil
import socket
import threading
import time
import traceback
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.accounts.permissions import Actor
from portal.errors import ForbiddenError, PortalError
from portal.jobs import ledger, outcomes
from portal.jobs.engine import JobEngine
from portal.jobs.heartbeat import Heartbeat
from portal.jobs.kinds import Kind
from portal.jobs.lanes import wake_lane
from portal.jobs.ledger import Claim, LeaseLostError
from portal.jobs.models import JobState
from portal.jobs.outcomes import End
from portal.jobs.work import (
    CancelledError,
    StoppedError,
    UnsuccessfulError,
    Work,
    attempts_folder,
    remove_attempt,
)

FULL = (errno.ENOSPC, errno.EDQUOT)
UNEXPECTED = "Something went wrong inside Portal. An administrator can see the details."
STOPPING = "The portal was stopped; the job goes on after the next start."

log = structlog.get_logger("portal.jobs")


def perform(job_id: str, *, engine: JobEngine) -> JobState | None:
    """Run a queued job in this process; returns how it ended, None where it was not to be had.

    Raises nothing that the task raises: how it ended stands in the job's row. Only where the
    database goes away it raises DBAPIError; the job is tried again when its lease has run out.
    """
    claimed_at = time.monotonic()
    claim = claim_job(job_id, engine=engine, worker=worker_name())
    if claim is None:
        return None
    return execute(claim, engine=engine, claimed_at=claimed_at, stopping=threading.Event())


def claim_job(job_id: str, *, engine: JobEngine, worker: str) -> Claim | None:
    """Take a queued job; None where another has it, its lane is busy, or it ended."""
    settings = engine.runtime.settings
    try:
        with engine.runtime.sessions.begin() as session:
            return ledger.claim(
                session, job_id=job_id, worker=worker, lease_seconds=settings.lease_seconds
            )
    except IntegrityError:  # another worker took the lane in this very moment
        return None


def execute(
    claim: Claim, *, engine: JobEngine, claimed_at: float, stopping: threading.Event
) -> JobState | None:
    """Do a claimed job. `claimed_at` is the monotonic time of the claim, `stopping` the way out.

    None where the job was taken away meanwhile: its new holder records how it ends.
    """
    runtime = engine.runtime
    engine.step("claimed")
    _retire_older_attempts(engine, claim)
    heartbeat = Heartbeat(
        runtime.sessions,
        claim,
        lease_seconds=runtime.settings.lease_seconds,
        claimed_at=claimed_at,
    )
    try:
        with heartbeat:
            state = _attempt(engine, claim, stopping)
    except LeaseLostError:
        log.warning("job taken away", job=claim.job_id, token=claim.token)
        return None
    engine.step("ended")
    _leave(engine, claim)
    return state


def explained(error: Exception) -> str:
    """What a clerk is told of a fault that nobody foresaw."""
    if isinstance(error, OSError) and error.errno in FULL:
        return "The disk is full. Nothing of it was kept; free some space, then retry."
    return UNEXPECTED


def worker_name() -> str:
    """How attempts name this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _attempt(engine: JobEngine, claim: Claim, stopping: threading.Event) -> JobState:
    kind = engine.kinds.find(claim.kind)
    with engine.runtime.reads() as session:
        actor = find_actor(session, claim.requester_id)
        refusal = _refusal(session, kind, actor, claim)
    if kind is None or actor is None or refusal:
        return _refuse(engine, claim, refusal, stopping)
    ask = partial(_asker, kind, claim)
    work = Work(runtime=engine.runtime, claim=claim, actor=actor, stopping=stopping, ask=ask)
    try:
        return _run(engine, kind, work)
    except StoppedError:
        return _stop(kind, work)
    except CancelledError:
        return _record(work, End(state=JobState.CANCELLED, reason="It was cancelled."))
    except UnsuccessfulError as error:
        end = End(state=JobState.FAILED, reason=str(error), result=error.result, told=error.told)
        return _record(work, end)
    except PortalError as error:
        return _record(work, End(state=JobState.FAILED, reason=str(error)))
    except Exception as error:  # the task's own faults end the job, whatever they are
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise  # the database went away, which is no fault of the task: it is tried again
        log.exception("job failed", job=claim.job_id, kind=claim.kind)
        end = End(state=JobState.FAILED, reason=explained(error), traceback=traceback.format_exc())
        return _record(work, end)


def _refusal(session: Session, kind: Kind | None, actor: Actor | None, claim: Claim) -> str:
    """Why the job may not run now, in a sentence; empty where it may."""
    if kind is None:
        return f"This portal has no jobs of the kind {claim.kind!r}; a part of it is missing."
    if actor is None or not actor.enabled:
        return "The account of the person who asked for it is disabled or gone."
    if not kind.may_run(session, actor, claim.args):
        return "The person who asked for it no longer has the right to."
    return ""


def _asker(kind: Kind, claim: Claim, session: Session) -> Actor:
    """Who asked for the job, as he stands now; raises ForbiddenError where it may not go on."""
    actor = find_actor(session, claim.requester_id)
    refusal = _refusal(session, kind, actor, claim)
    if actor is None or refusal:
        raise ForbiddenError(refusal)
    return actor


def _refuse(engine: JobEngine, claim: Claim, reason: str, stopping: threading.Event) -> JobState:
    nobody = Actor(user_id=None, name="", enabled=False)
    work = Work(runtime=engine.runtime, claim=claim, actor=nobody, stopping=stopping)
    return _record(work, End(state=JobState.FAILED, reason=reason))


def _run(engine: JobEngine, kind: Kind, work: Work) -> JobState:
    result = kind.run(work, **work.claim.args)
    engine.step("worked")
    if work.completed:
        return JobState.SUCCEEDED
    return _record(work, End(state=JobState.SUCCEEDED, result=result or {}))


def _record(work: Work, end: End) -> JobState:
    work.end(end)
    return end.state


def _stop(kind: Kind, work: Work) -> JobState:
    if not kind.restartable:
        reason = "The portal was stopped; look at what was done before you retry."
        return _record(work, End(state=JobState.INTERRUPTED, reason=reason))
    with work.effect() as session:
        outcomes.release(session, work.claim, reason=STOPPING)
    return JobState.QUEUED


def _retire_older_attempts(engine: JobEngine, claim: Claim) -> None:
    """Rename older attempts' folders away, so that a process that wakes up late cannot write."""
    attempts = attempts_folder(engine.runtime, claim.job_id)
    if not attempts.exists():
        return
    retired = attempts.with_name(f"{claim.job_id}.before-{claim.token}")
    attempts.rename(retired)
    shutil.rmtree(retired, ignore_errors=True)


def _leave(engine: JobEngine, claim: Claim) -> None:
    """Tidy up after an attempt and let the next of its lane begin."""
    remove_attempt(engine.runtime, claim)
    if claim.lane is not None:
        wake_lane(engine.runtime, claim.lane)
