"""Asking for the jobs of delivery."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.delivery.channels import get_channel
from portal.delivery.models import Channel
from portal.delivery.states import Direction
from portal.jobs.kinds import Kinds
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import Waker

RUN = "delivery.run"
SUBJECT = "channel"


def run_now(
    session: Session, *, actor: Actor, name: str, kinds: Kinds, waker: Waker, now: datetime
) -> Submitted:
    """Ask for a run of a channel; one that is asked for or runs already is joined."""
    channel = get_channel(session, actor=actor, name=name)
    return submit(
        session,
        kind=kinds.get(RUN),
        actor=actor,
        args={"channel_id": channel.id},
        title=title_of(channel),
        subject=Subject(kind=SUBJECT, id=str(channel.id)),
        lane=lane_of(channel),
        waker=waker,
        now=now,
    )


def title_of(channel: Channel) -> str:
    """What the job of a channel is called."""
    verb = "Send" if channel.direction == Direction.SEND else "Fetch"
    return f"{verb} the files of {channel.name}"


def lane_of(channel: Channel) -> str:
    """One job of a channel runs at a time, on all machines."""
    return f"channel:{channel.id}"
