"""Putting right what a crash left: queued jobs nobody was told of, running jobs whose worker died.

One process leads, for economy; every action is itself a conditional UPDATE, so two leaders at once
would do no harm.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db_now
from portal.jobs import endings
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState, Leadership
from portal.jobs.runner import worker_name
from portal.jobs.wake import RedisWaker, rq_queue

WAKE_AT_ONCE = 100
NAME = "reconciler"

log = structlog.get_logger("portal.reconciler")


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Something the leader does every so many seconds; where it fails it is tried again."""

    name: str
    run: Callable[[], object]
    every: float = 0.0


def reconcile(engine: JobEngine, duties: Iterable[Duty], *, over: threading.Event) -> None:
    """Do all duties every few seconds while leading, until `over` is set."""
    everything = (*own_duties(engine), *duties)
    due = {duty.name: 0.0 for duty in everything}
    while not over.is_set():
        if _lead(engine):
            for duty in everything:
                if time.monotonic() >= due[duty.name]:
                    _do(duty)
                    due[duty.name] = time.monotonic() + duty.every
        over.wait(engine.runtime.settings.reconcile_seconds)


def own_duties(engine: JobEngine) -> tuple[Duty, ...]:
    """What keeps jobs moving."""
    return (
        Duty(name="recover expired leases", run=lambda: endings.recover_expired(engine)),
        Duty(name="wake queued jobs", run=lambda: wake_queued(engine)),
    )


def wake_queued(engine: JobEngine) -> int:
    """Wake workers for queued jobs whose wake-up is lost, oldest first; returns how many.

    A queue in Redis that is as long as the list of queued jobs has lost none.
    """
    runtime = engine.runtime
    with runtime.reads() as session:
        waiting = session.execute(
            select(Job.queue, func.count()).where(Job.state == JobState.QUEUED).group_by(Job.queue)
        ).all()
    short = [queue for queue, jobs in waiting if _entries(engine, queue) < jobs]
    return sum(_wake_stale(engine, queue) for queue in short)


def _entries(engine: JobEngine, queue: str) -> int:
    try:
        return rq_queue(engine.runtime.redis, queue).count
    except RedisError:
        return 0


def _wake_stale(engine: JobEngine, queue: str) -> int:
    runtime = engine.runtime
    stale = db_now(-runtime.settings.rewake_seconds)
    with runtime.sessions.begin() as session:
        found = session.scalars(
            select(Job.id)
            .where(Job.state == JobState.QUEUED, Job.queue == queue)
            .where(or_(Job.woken_at.is_(None), Job.woken_at < stale))
            .order_by(Job.woken_at.asc().nulls_first(), Job.number)
            .limit(WAKE_AT_ONCE)
        ).all()
        session.execute(
            update(Job)
            .where(Job.id.in_(found), Job.state == JobState.QUEUED)
            .values(woken_at=db_now())
            .execution_options(synchronize_session=False)
        )
    _drop_half_taken(engine, queue)
    waker = RedisWaker(runtime.redis)
    return sum(waker(queue, job_id) for job_id in found)


def _drop_half_taken(engine: JobEngine, queue: str) -> None:
    """Entries that a dead worker had taken out of its queue tell nobody anything any more."""
    try:
        engine.runtime.redis.delete(rq_queue(engine.runtime.redis, queue).intermediate_queue_key)
    except RedisError as error:
        log.warning("queue not tidied", queue=queue, error=type(error).__name__)


def _do(duty: Duty) -> None:
    try:
        duty.run()
    except Exception:  # one duty's fault must not stop the others; it is tried again
        log.exception("duty failed", duty=duty.name)


def _lead(engine: JobEngine) -> bool:
    """Take or keep the lead for three rounds; False where another process has it."""
    seconds = max(3.0, 3 * engine.runtime.settings.reconcile_seconds)
    mine = worker_name()
    try:
        with engine.runtime.sessions.begin() as session:
            dialect = session.get_bind().dialect.name
            insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
            taken = session.execute(
                insert(Leadership)
                .values(name=NAME, holder=mine, until=db_now(seconds))
                .on_conflict_do_update(
                    index_elements=[Leadership.name],
                    set_={"holder": mine, "until": db_now(seconds)},
                    where=or_(Leadership.holder == mine, Leadership.until < db_now()),
                )
                .returning(Leadership.holder)
            ).one_or_none()
    except SQLAlchemyError as error:
        log.warning("no lead without the database", error=type(error).__name__)
        return False
    return taken is not None
