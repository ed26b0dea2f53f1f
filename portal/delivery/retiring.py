"""Removing channels for good, with their schedules."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.delivery.channels import get_channel, remove_channel
from portal.delivery.orders import Asking, lane_of
from portal.delivery.scheduled import drop_schedules
from portal.errors import ConflictError
from portal.jobs.models import ACTIVE, Job


def retire_channel(session: Session, asking: Asking, *, name: str) -> None:
    """Forget a channel, its schedules and its history; the files of its spool stay.

    Raises ConflictError while something goes on in it, ForbiddenError, NotFoundError.
    """
    channel = get_channel(session, actor=asking.actor, name=name)
    its = (Job.lane == lane_of(channel), Job.state.in_(ACTIVE))
    if session.scalar(select(func.count()).where(*its)):
        raise ConflictError("It runs now. Cancel its run, or wait until it has ended.")
    drop_schedules(session, channel)
    remove_channel(session, actor=asking.actor, name=name, now=asking.now, place=asking.place)
