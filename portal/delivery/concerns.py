"""What wants an operator's attention: files put aside, channels that are kept out or fail."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.delivery.backlog import count_lying
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.standing import Mood, standing_of
from portal.delivery.states import ASIDE, Direction
from portal.jobs.concerns import Concern


def concerns_of(session: Session, actor: Actor) -> list[Concern]:
    """For operators; nothing for the others."""
    if not actor.may(Permission.DELIVERY_OPERATE):
        return []
    channels = session.scalars(select(Channel).order_by(Channel.name)).all()
    return [*_aside(session, channels), *_troubles(channels)]


def count_to_send(session: Session, _actor: Actor) -> int:
    """How many files wait in the spools of channels that send."""
    sending = select(Channel).where(Channel.direction == Direction.SEND)
    return sum(count_lying(channel) or 0 for channel in session.scalars(sending))


def _aside(session: Session, channels: Sequence[Channel]) -> list[Concern]:
    counts = (
        select(DeliveredFile.channel_id, func.count())
        .where(DeliveredFile.channel_id.in_([channel.id for channel in channels]))
        .where(DeliveredFile.state.in_(ASIDE))
        .group_by(DeliveredFile.channel_id)
    )
    found = {row[0]: row[1] for row in session.execute(counts)}
    return [
        Concern(
            title=channel.name,
            url=f"/delivery/channels/{channel.id}",
            word="Put aside",
            text=f"{found[channel.id]} {'file waits' if found[channel.id] == 1 else 'files wait'} "
            "for a decision.",
        )
        for channel in channels
        if channel.id in found
    ]


def _troubles(channels: Sequence[Channel]) -> list[Concern]:
    """Not a live lock: whoever has it ends by himself."""
    troubles = []
    for channel in channels:
        standing = standing_of(channel)
        stale = standing.mood is Mood.LOCKED and channel.blocked.get("stale")
        if standing.mood is Mood.TROUBLED or stale:
            url = f"/delivery/channels/{channel.id}"
            troubles.append(
                Concern(title=channel.name, url=url, word=standing.word, text=standing.text)
            )
    return troubles
