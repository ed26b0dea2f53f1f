"""Asking for the jobs of schedules whose time has come, each as its owner.

A time that was missed while the portal was down is made up for once, not once per miss.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.db import changed
from portal.errors import PortalError
from portal.jobs.cron import next_time
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Schedule
from portal.jobs.notices import tell_stopped
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import RedisWaker, Waker

DUE_AT_ONCE = 50
NO_RIGHT = "Its owner no longer has the right to ask for this job."
NO_OWNER = "Its owner's account is disabled or gone."
NO_KIND = "This portal has no such job any more; a part of it is missing."

log = structlog.get_logger("portal.schedules")


def run_due(engine: JobEngine) -> int:
    """Ask for the jobs of all schedules whose time has come; returns for how many."""
    runtime = engine.runtime
    now = runtime.clock()
    with runtime.reads() as session:
        due = session.execute(
            select(Schedule.id, Schedule.next_at)
            .where(Schedule.enabled, Schedule.next_at <= now)
            .order_by(Schedule.next_at)
            .limit(DUE_AT_ONCE)
        ).all()
    return sum(
        _try_one(engine, schedule_id, due_at=at, now=now)
        for schedule_id, at in due
        if at is not None
    )


def ask(
    session: Session, schedule: Schedule, *, kinds: Kinds, waker: Waker, now: datetime
) -> Submitted | str:
    """Submit the schedule's job as its owner; why that is not possible, where it is not."""
    kind = kinds.find(schedule.kind)
    if kind is None or kind.schedule is None:
        return NO_KIND
    owner = find_actor(session, schedule.owner_id)
    if owner is None or not owner.enabled:
        return NO_OWNER
    if not kind.may_run(session, owner, schedule.args):
        return NO_RIGHT
    try:
        order = kind.schedule.order(session, schedule.args)
    except PortalError as error:  # what it is about is gone
        return str(error)
    submitted = submit(
        session,
        kind=kind,
        actor=owner,
        args=schedule.args,
        title=order.title,
        subject=Subject(kind=order.subject_kind, id=order.subject_id),
        lane=order.lane,
        waker=waker,
        now=now,
    )
    schedule.last_job_id = submitted.job.id
    session.flush()
    return submitted


def stop(schedule: Schedule, *, reason: str) -> None:
    """Let a schedule ask for nothing until somebody resumes it."""
    schedule.enabled, schedule.next_at, schedule.stopped_reason = False, None, reason


def _try_one(engine: JobEngine, schedule_id: int, *, due_at: datetime, now: datetime) -> bool:
    """Run one schedule; its fault must not keep the others from running."""
    try:
        return _run_one(engine, schedule_id, due_at=due_at, now=now)
    except Exception:
        log.exception("schedule failed, it is tried again", schedule=schedule_id)
        return False


def _run_one(engine: JobEngine, schedule_id: int, *, due_at: datetime, now: datetime) -> bool:
    runtime = engine.runtime
    with runtime.sessions.begin() as session:
        schedule = _claim(session, schedule_id, due_at=due_at, zone=runtime.settings.zone, now=now)
        if schedule is None:
            return False
        waker = RedisWaker(runtime.redis)
        asked = ask(session, schedule, kinds=engine.kinds, waker=waker, now=now)
        if isinstance(asked, str):
            stop(schedule, reason=asked)
            tell_stopped(session, schedule=schedule, now=now)
            log.warning("schedule stopped", schedule=schedule_id)
            return False
    return True


def _claim(
    session: Session, schedule_id: int, *, due_at: datetime, zone: ZoneInfo, now: datetime
) -> Schedule | None:
    """Take one due time of a schedule, exactly once among all who try; None where it was taken."""
    cron = session.scalar(select(Schedule.cron).where(Schedule.id == schedule_id))
    if cron is None:
        return None
    statement = (
        update(Schedule)
        .where(Schedule.id == schedule_id, Schedule.enabled, Schedule.next_at == due_at)
        .values(next_at=next_time(cron, after=now, zone=zone), last_at=due_at)
        .execution_options(synchronize_session=False)
    )
    if changed(session, statement) == 0:
        return None
    return session.scalars(select(Schedule).where(Schedule.id == schedule_id)).one()
