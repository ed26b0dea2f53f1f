"""Putting right what a crash left: queued jobs nobody was told of, running jobs whose worker died.

One process leads, for economy; every action is itself a conditional UPDATE, so two leaders at once
would do no harm.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError
from sqlalchemy import or_, select, update
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
    """Something the leader does again and again; it may fail and is tried at the next round."""

    name: str
    run: Callable[[], object]


def reconcile(engine: JobEngine, duties: Iterable[Duty], *, over: threading.Event) -> None:
    """Do all duties every few seconds while leading, until `over` is set."""
    everything = (*own_duties(engine), *duties)
    while not over.is_set():
        if _lead(engine):
            for duty in everything:
                _do(duty)
        over.wait(engine.runtime.settings.reconcile_seconds)


def own_duties(engine: JobEngine) -> tuple[Duty, ...]:
    """What keeps jobs moving."""
    return (
        Duty(name="recover expired leases", run=lambda: endings.recover_expired(engine)),
        Duty(name="wake queued jobs", run=lambda: wake_queued(engine)),
    )


def wake_queued(engine: JobEngine) -> int:
    """Wake workers for queued jobs that nobody was told of lately, oldest first; returns how many."""
    runtime = engine.runtime
    with runtime.sessions.begin() as session:
        stale = db_now(-runtime.settings.rewake_seconds)
        found = session.execute(
            select(Job.id, Job.queue)
            .where(
                Job.state == JobState.QUEUED, or_(Job.woken_at.is_(None), Job.woken_at < stale)
            )
            .order_by(Job.number)
            .limit(WAKE_AT_ONCE)
        ).all()
        if found:
            session.execute(
                update(Job)
                .where(Job.id.in_([row.id for row in found]), Job.state == JobState.QUEUED)
                .values(woken_at=db_now())
                .execution_options(synchronize_session=False)
            )
    waker = RedisWaker(runtime.redis)
    for queue in {row.queue for row in found}:
        _drop_half_taken(engine, queue)
    return sum(waker(row.queue, row.id) for row in found)


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
