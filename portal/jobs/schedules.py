"""Schedules: jobs that are asked for whenever a cron expression says so, as their owner.

A time that was missed while the portal was down is made up for once, not once per miss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.accounts.models import User
from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.db import changed
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.jobs.cron import check_cron, next_time, next_times
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Args, Kind, Kinds
from portal.jobs.models import Job, Schedule
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import RedisWaker, Waker
from portal.runtime import Runtime

DUE_AT_ONCE = 50
SHOWN_RUNS = 3
NO_RIGHT = "Its owner no longer has the right to ask for this job."
NO_OWNER = "Its owner's account is disabled or gone."
NO_KIND = "This portal has no such job any more; a part of it is missing."

log = structlog.get_logger("portal.schedules")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A job that a schedule may ask for: its kind and arguments, and how people call it."""

    kind: Kind
    args: Args
    label: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A schedule as people see it: its expression in words, its next runs."""

    schedule: Schedule
    owner: str
    words: str
    next_runs: tuple[datetime, ...]


def offers(session: Session, *, kinds: Kinds, actor: Actor) -> list[Offer]:
    """Every job that `actor` may put on a schedule."""
    return [
        Offer(kind=kind, args=choice.args, label=choice.label)
        for kind in kinds
        if kind.schedule is not None
        for choice in kind.schedule.choices(session, actor)
        if kind.may_run(session, actor, choice.args)
    ]


def create(
    session: Session,
    *,
    actor: Actor,
    offer: Offer,
    cron: str,
    zone: ZoneInfo,
    now: datetime,
    address: str = "",
) -> Schedule:
    """Put a job on a schedule that runs as `actor`. Raises InvalidError, ForbiddenError."""
    if actor.user_id is None or not offer.kind.may_run(session, actor, offer.args):
        raise ForbiddenError("A schedule runs as its owner, who needs the right to the job.")
    check_cron(cron)
    schedule = Schedule(
        kind=offer.kind.name,
        args=dict(offer.args),
        title=f"{offer.kind.label}: {offer.label}"[:255],
        cron=cron,
        owner_id=actor.user_id,
        next_at=next_time(cron, after=now, zone=zone),
        created_at=now,
    )
    session.add(schedule)
    session.flush()
    _record(session, "schedule.create", actor, schedule, now=now, address=address)
    return schedule


def list_schedules(session: Session, *, actor: Actor) -> Sequence[Schedule]:
    """All schedules for who manages them, else one's own; by their next run."""
    query = select(Schedule).order_by(Schedule.enabled.desc(), Schedule.next_at, Schedule.id)
    if not actor.may(Permission.SCHEDULES_MANAGE):
        query = query.where(Schedule.owner_id == actor.user_id)
    return session.scalars(query).all()


def get_schedule(session: Session, *, actor: Actor, schedule_id: int) -> Schedule:
    """The schedule with this id, if it is the actor's own or he manages them all."""
    schedule = session.get(Schedule, schedule_id)
    if schedule is None or not (
        actor.may(Permission.SCHEDULES_MANAGE) or schedule.owner_id == actor.user_id
    ):
        raise NotFoundError("There is no such schedule.")
    return schedule


def change(
    session: Session,
    *,
    schedule_id: int,
    action: str,
    actor: Actor,
    runtime: Runtime,
    kinds: Kinds,
    waker: Waker,
    address: str = "",
) -> Job | None:
    """`pause`, `resume`, `remove` or `run` a schedule; returns the job that was asked for."""
    now, zone = runtime.clock(), runtime.settings.zone
    schedule = get_schedule(session, actor=actor, schedule_id=schedule_id)
    _record(session, f"schedule.{action}", actor, schedule, now=now, address=address)
    match action:
        case "pause":
            _stop(schedule, reason=f"Paused by {actor.name}.")
        case "resume":
            schedule.enabled, schedule.stopped_reason = True, ""
            schedule.next_at = next_time(schedule.cron, after=now, zone=zone)
        case "remove":
            session.delete(schedule)
        case "run":
            return _run_now(session, schedule, kinds=kinds, waker=waker, now=now)
        case _:
            raise InvalidError(f"A schedule cannot {action}.")
    session.flush()
    return None


def plans(
    found: Sequence[Schedule], *, owners: Mapping[int, str], zone: ZoneInfo, now: datetime
) -> list[Plan]:
    """The schedules in words, with their next runs in `zone`."""
    return [
        Plan(
            schedule=schedule,
            owner=owners.get(schedule.owner_id, "nobody"),
            words=check_cron(schedule.cron),
            next_runs=_next_runs(schedule, zone=zone, now=now),
        )
        for schedule in found
    ]


def owner_names(session: Session, found: Sequence[Schedule]) -> dict[int, str]:
    """How the owners of these schedules are called, by their id."""
    ids = {schedule.owner_id for schedule in found}
    query = select(User.id, User.display_name, User.name).where(User.id.in_(ids))
    return {row.id: row.display_name or row.name for row in session.execute(query)}


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
        _run_one(engine, schedule_id, due_at=at, now=now)
        for schedule_id, at in due
        if at is not None
    )


def _run_one(engine: JobEngine, schedule_id: int, *, due_at: datetime, now: datetime) -> bool:
    runtime = engine.runtime
    with runtime.sessions.begin() as session:
        schedule = _claim(session, schedule_id, due_at=due_at, zone=runtime.settings.zone, now=now)
        if schedule is None:
            return False
        waker = RedisWaker(runtime.redis)
        asked = _ask(session, schedule, kinds=engine.kinds, waker=waker, now=now)
        if isinstance(asked, str):
            _stop(schedule, reason=asked)
            log.warning("schedule stopped", schedule=schedule_id)
            return False
    return True


def _run_now(
    session: Session, schedule: Schedule, *, kinds: Kinds, waker: Waker, now: datetime
) -> Job:
    asked = _ask(session, schedule, kinds=kinds, waker=waker, now=now)
    if isinstance(asked, str):
        raise ConflictError(asked)
    return asked.job


def _stop(schedule: Schedule, *, reason: str) -> None:
    schedule.enabled, schedule.next_at, schedule.stopped_reason = False, None, reason


def _next_runs(schedule: Schedule, *, zone: ZoneInfo, now: datetime) -> tuple[datetime, ...]:
    if not schedule.enabled:
        return ()
    return tuple(next_times(schedule.cron, after=now, zone=zone, times=SHOWN_RUNS))


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


def _ask(
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
    order = kind.schedule.order(session, schedule.args)
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


def _record(
    session: Session,
    action: str,
    actor: Actor,
    schedule: Schedule,
    *,
    now: datetime,
    address: str,
) -> None:
    detail: dict[str, Any] = {"kind": schedule.kind, "cron": schedule.cron}
    record(
        session,
        actor=actor,
        action=action,
        object_kind="schedule",
        object_id=str(schedule.id),
        now=now,
        address=address,
        detail=detail,
    )
