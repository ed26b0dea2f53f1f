"""Schedules: jobs that are asked for whenever a cron expression says so, as their owner.

`due` asks for them when their time has come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.jobs.cron import check_cron, next_time, next_times
from portal.jobs.due import ask, stop
from portal.jobs.kinds import Args, Kind, Kinds
from portal.jobs.models import Job, Schedule
from portal.jobs.wake import Waker
from portal.runtime import Runtime

SHOWN_RUNS = 3


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A job that a schedule may ask for: its kind and arguments, and how people call it."""

    kind: Kind
    args: Args
    label: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A schedule as people see it: its expression in words, its next runs, how its last job stands.

    `last_state` is empty where there is none (any more).
    """

    schedule: Schedule
    owner: str
    words: str
    next_runs: tuple[datetime, ...]
    last_state: str


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


def list_schedules(session: Session, *, actor: Actor, kind: str = "") -> Sequence[Schedule]:
    """All schedules, or those of a `kind`, for who manages them, else one's own; by next run."""
    query = select(Schedule).order_by(Schedule.enabled.desc(), Schedule.next_at, Schedule.id)
    if kind:
        query = query.where(Schedule.kind == kind)
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
            stop(schedule, reason=f"Paused by {actor.name}.")
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
    session: Session, found: Sequence[Schedule], *, zone: ZoneInfo, now: datetime
) -> list[Plan]:
    """The schedules in words, with their next runs in `zone`."""
    owners, states = _owner_names(session, found), _last_states(session, found)
    return [
        Plan(
            schedule=schedule,
            owner=owners.get(schedule.owner_id, "nobody"),
            words=check_cron(schedule.cron),
            next_runs=_next_runs(schedule, zone=zone, now=now),
            last_state=states.get(schedule.last_job_id or "", ""),
        )
        for schedule in found
    ]


def _last_states(session: Session, found: Sequence[Schedule]) -> dict[str, str]:
    """How the last jobs of these schedules stand, by the jobs' ids."""
    ids = [schedule.last_job_id for schedule in found if schedule.last_job_id]
    query = select(Job.id, Job.state).where(Job.id.in_(ids))
    return {row.id: row.state for row in session.execute(query)}


def _owner_names(session: Session, found: Sequence[Schedule]) -> dict[int, str]:
    """How the owners of these schedules are called, by their id."""
    ids = {schedule.owner_id for schedule in found}
    query = select(User.id, User.display_name, User.name).where(User.id.in_(ids))
    return {row.id: row.display_name or row.name for row in session.execute(query)}


def _run_now(
    session: Session, schedule: Schedule, *, kinds: Kinds, waker: Waker, now: datetime
) -> Job:
    asked = ask(session, schedule, kinds=kinds, waker=waker, now=now)
    if isinstance(asked, str):
        raise ConflictError(asked)
    return asked.job


def _next_runs(schedule: Schedule, *, zone: ZoneInfo, now: datetime) -> tuple[datetime, ...]:
    if not schedule.enabled:
        return ()
    return tuple(next_times(schedule.cron, after=now, zone=zone, times=SHOWN_RUNS))


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
