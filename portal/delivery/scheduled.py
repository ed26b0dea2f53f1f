"""Channels that run by themselves: their schedules, which run as who made them."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.delivery.models import Channel
from portal.delivery.orders import RUN, Asking
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs import schedules
from portal.jobs.models import Schedule
from portal.jobs.schedules import Offer, Plan
from portal.runtime import Runtime


def plans_of(session: Session, *, channel: Channel, runtime: Runtime) -> Sequence[Plan]:
    """The schedules of a channel, whoever owns them."""
    zone, now = runtime.settings.zone, runtime.clock()
    return schedules.plans(session, _schedules(session, channel), zone=zone, now=now)


def may_change(actor: Actor, schedule: Schedule) -> bool:
    """Whether `actor` may stop or delete it: his own, or any for who manages schedules."""
    return schedule.owner_id == actor.user_id or actor.may(Permission.SCHEDULES_MANAGE)


def schedule_channel(
    session: Session, channel: Channel, *, cron: str, zone: ZoneInfo, asking: Asking
) -> Schedule:
    """Let a channel run whenever `cron` says so. Raises ForbiddenError, InvalidError."""
    offer = Offer(kind=asking.kinds.get(RUN), args={"channel_id": channel.id}, label=channel.name)
    return schedules.create(
        session,
        actor=asking.actor,
        offer=offer,
        cron=cron,
        zone=zone,
        now=asking.now,
        address=asking.place,
    )


def change_schedule_of(
    session: Session,
    channel: Channel,
    *,
    schedule_id: int,
    action: str,
    asking: Asking,
    runtime: Runtime,
) -> None:
    """Stop, resume or remove a schedule of a channel.

    Raises NotFoundError where it is not the channel's, ForbiddenError where it is another's.
    """
    found = [one for one in _schedules(session, channel) if one.id == schedule_id]
    if not found:
        raise NotFoundError("This channel has no such schedule.")
    if not may_change(asking.actor, found[0]):
        raise ForbiddenError("A schedule is changed by its owner, or by an administrator.")
    schedules.change(
        session,
        schedule_id=schedule_id,
        action=action,
        actor=asking.actor,
        runtime=runtime,
        kinds=asking.kinds,
        waker=asking.waker,
        address=asking.place,
    )


def drop_schedules(session: Session, channel: Channel) -> None:
    """Delete the schedules of a channel that goes."""
    for schedule in _schedules(session, channel):
        session.delete(schedule)


def _schedules(session: Session, channel: Channel) -> list[Schedule]:
    query = select(Schedule).where(Schedule.kind == RUN).order_by(Schedule.id)
    return [one for one in session.scalars(query) if one.args.get("channel_id") == channel.id]
