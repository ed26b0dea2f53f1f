"""Asking for the jobs of delivery."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.audit.service import record
from portal.delivery.channels import get_channel
from portal.delivery.endpoints import get_endpoint
from portal.delivery.models import Channel
from portal.delivery.states import Direction
from portal.errors import ConflictError
from portal.jobs.kinds import Kinds
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import Waker

RUN = "delivery.run"
TEST = "delivery.test"
BREAK = "delivery.break_lock"
SUBJECT = "channel"
ENDPOINT = "endpoint"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks for a job, and what jobs are made with."""

    actor: Actor
    kinds: Kinds
    waker: Waker
    now: datetime
    place: str = ""


def run_now(session: Session, asking: Asking, *, name: str) -> Submitted:
    """Ask for a run of a channel; one that is asked for or runs already is joined."""
    channel = get_channel(session, actor=asking.actor, name=name)
    return _of_channel(session, asking, RUN, channel, title_of(channel), {})


def break_lock(session: Session, asking: Asking, *, name: str) -> Submitted:
    """Ask that the lock which the last run of a channel met is removed from the server.

    Raises ConflictError where it met none.
    """
    channel = get_channel(session, actor=asking.actor, name=name)
    if not channel.blocked:
        raise ConflictError("The last run of this channel met no lock.")
    seen = {key: channel.blocked[key] for key in ("lock", "owner", "host", "since", "beat")}
    record(
        session,
        actor=asking.actor,
        action="delivery.lock.break",
        object_kind="channel",
        object_id=channel.name,
        now=asking.now,
        address=asking.place,
        detail=seen,
    )
    title = f"Break the lock that keeps {channel.name} out"
    return _of_channel(session, asking, BREAK, channel, title, {"seen": seen})


def try_endpoint(session: Session, asking: Asking, *, name: str) -> Submitted:
    """Ask for a test of an endpoint."""
    endpoint = get_endpoint(session, actor=asking.actor, name=name)
    return submit(
        session,
        kind=asking.kinds.get(TEST),
        actor=asking.actor,
        args={"endpoint_id": endpoint.id},
        title=f"Test the connection to {endpoint.name}",
        subject=Subject(kind=ENDPOINT, id=str(endpoint.id)),
        waker=asking.waker,
        now=asking.now,
    )


def title_of(channel: Channel) -> str:
    """What the job of a channel is called."""
    verb = "Send" if channel.direction == Direction.SEND else "Fetch"
    return f"{verb} the files of {channel.name}"


def lane_of(channel: Channel) -> str:
    """One job of a channel runs at a time, on all machines."""
    return f"channel:{channel.id}"


def _of_channel(
    session: Session, asking: Asking, kind: str, channel: Channel, title: str, args: dict[str, Any]
) -> Submitted:
    return submit(
        session,
        kind=asking.kinds.get(kind),
        actor=asking.actor,
        args={"channel_id": channel.id} | args,
        title=title,
        subject=Subject(kind=SUBJECT, id=str(channel.id)),
        lane=lane_of(channel),
        waker=asking.waker,
        now=asking.now,
    )
