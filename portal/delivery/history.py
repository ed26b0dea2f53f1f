"""What became of files: the rows of the ledger, searchable."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.delivery.channels import get_channel
from portal.delivery.endpoints import check_operator
from portal.delivery.models import Channel, DeliveredFile

LISTED = 100


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Which files are sought; what is empty is not asked for. `before`: the last id seen so far."""

    channel: str = ""
    text: str = ""
    state: str = ""
    sha256: str = ""
    before: int | None = None
    limit: int = LISTED


def search_files(
    session: Session, *, actor: Actor, sought: Sought
) -> Sequence[tuple[DeliveredFile, Channel]]:
    """Files with their channels, the newest first. Raises ForbiddenError, NotFoundError."""
    check_operator(actor)
    query = select(DeliveredFile, Channel).join(Channel, Channel.id == DeliveredFile.channel_id)
    if sought.channel:
        found = get_channel(session, actor=actor, name=sought.channel)
        query = query.where(DeliveredFile.channel_id == found.id)
    if sought.text:
        query = query.where(DeliveredFile.name.contains(sought.text, autoescape=True))
    if sought.state:
        query = query.where(DeliveredFile.state == sought.state)
    if sought.sha256:
        query = query.where(DeliveredFile.sha256.startswith(sought.sha256, autoescape=True))
    if sought.before is not None:
        query = query.where(DeliveredFile.id < sought.before)
    query = query.order_by(DeliveredFile.id.desc()).limit(sought.limit)
    return [(row, channel) for row, channel in session.execute(query)]
