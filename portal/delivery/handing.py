"""Handing a finished file over to a channel: it is copied into its spool, whole, under its name."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.handouts import Handouts
from portal.audit.service import record
from portal.delivery.channels import channel_with
from portal.delivery.models import Channel
from portal.delivery.names import check_spool_name
from portal.delivery.orders import SUBJECT, Asking
from portal.delivery.patterns import chooser, patterns_of
from portal.delivery.spool import Space, Spool
from portal.delivery.states import Direction
from portal.errors import ConflictError, InvalidError, PortalError
from portal.jobs.service import Subject, Submitted, submit
from portal.runtime import Runtime

HAND = "delivery.hand_over"


@dataclass(frozen=True, kw_only=True)
class Parting:
    """Which file is to be handed over: the kind of finished files, and its name among them.

    With `at_once` the channel runs as soon as it is there, unless it is paused.
    """

    source: str
    file: str
    at_once: bool = False


def list_takers(session: Session, *, actor: Actor) -> list[Channel]:
    """The channels that send, by name; none for who may not work with them."""
    if not actor.may(Permission.DELIVERY_OPERATE):
        return []
    sending = select(Channel).where(Channel.direction == Direction.SEND)
    return list(session.scalars(sending.order_by(Channel.name)))


def hand_over(
    session: Session,
    asking: Asking,
    *,
    handouts: Handouts,
    runtime: Runtime,
    channel_id: int,
    parting: Parting,
) -> Submitted:
    """Ask for a file to be copied into the spool of a channel.

    Raises NotFoundError for a file or channel that is not there, InvalidError for a name that
    cannot be sent by it, ConflictError where a file of that name waits there.
    """
    found = handouts.get(parting.source).find(session, runtime, asking.actor, parting.file)
    channel = channel_with(session, actor=asking.actor, channel_id=channel_id)
    check_takes(channel, found.name)
    record(
        session,
        actor=asking.actor,
        action="delivery.file.hand_over",
        object_kind="channel",
        object_id=channel.name,
        now=asking.now,
        address=asking.place,
        detail={"file": found.name, "source": parting.source, "size": found.size},
    )
    return submit(
        session,
        kind=asking.kinds.get(HAND),
        actor=asking.actor,
        args={
            "channel_id": channel.id,
            "source": parting.source,
            "file": parting.file,
            "at_once": parting.at_once,
        },
        title=f"Hand {found.name} over to {channel.name}"[:255],
        subject=Subject(kind=SUBJECT, id=str(channel.id)),
        waker=asking.waker,
        now=asking.now,
    )


def check_takes(channel: Channel, name: str) -> None:
    """Raise InvalidError or ConflictError where `channel` would not send a file called `name`."""
    if channel.direction != Direction.SEND:
        raise InvalidError(f"{channel.name} fetches files; choose a channel that sends.")
    check_spool_name(name)
    if not chooser(patterns_of(channel.include), patterns_of(channel.exclude))(name):
        raise InvalidError(
            f"{channel.name} does not take files called {name}; see “Only these files” and “But "
            "not these” in its settings."
        )
    if os.path.lexists(Spool(Path(channel.spool)).path(name, Space.NEW)):
        raise taken(channel, name)


def taken(channel: Channel, name: str) -> PortalError:
    """What is said where a file of that name waits already."""
    return ConflictError(
        f"A file called {name} waits in {channel.name} already. Let that one be sent first, or "
        "choose another channel."
    )
