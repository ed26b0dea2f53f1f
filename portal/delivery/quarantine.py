"""Files that were put aside: sending them again, or counting them as delivered."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.audit.service import record
from portal.delivery.channels import get_channel
from portal.delivery.endpoints import check_operator
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.spool import Space, Spool
from portal.delivery.states import ASIDE, Direction, FileState
from portal.errors import ConflictError, NotFoundError

LISTED = 500


def list_aside(
    session: Session, *, actor: Actor, channel: str = ""
) -> Sequence[tuple[DeliveredFile, Channel]]:
    """Files that wait for a decision, the newest first. Raises ForbiddenError, NotFoundError."""
    check_operator(actor)
    query = select(DeliveredFile, Channel).join(Channel, Channel.id == DeliveredFile.channel_id)
    if channel:
        found = get_channel(session, actor=actor, name=channel)
        query = query.where(DeliveredFile.channel_id == found.id)
    query = query.where(DeliveredFile.state.in_(ASIDE)).order_by(DeliveredFile.id.desc())
    return [(row, owner) for row, owner in session.execute(query.limit(LISTED))]


def send_again(
    session: Session, *, actor: Actor, file_id: int, now: datetime, place: str = ""
) -> DeliveredFile:
    """Put a file back into `new`, so that the next run sends it; or let it be fetched again.

    Raises NotFoundError, and ConflictError where a file of its name waits there or it was decided.
    """
    row, channel = _aside(session, actor, file_id)
    _record(session, "retry", actor, row, channel, now=now, place=place)
    kept_as = row.kept_as or row.name
    row.state, row.ended_at = FileState.RETURNED, now
    session.flush()
    if channel.direction == Direction.FETCH and not row.kept_as:
        return row
    if channel.direction == Direction.FETCH:  # it was fetched, and refused by who should take it
        row.state, row.kept_as = FileState.RECEIVED, ""
        session.flush()
    Spool(Path(channel.spool)).move(kept_as, Space.QUARANTINE, Space.NEW)
    return row


def send_all_again(
    session: Session, *, actor: Actor, channel: str, now: datetime, place: str = ""
) -> tuple[int, list[str]]:
    """Put the files of the quarantine back, those of `channel` or of all; no uncertain ones.

    Returns how many, and why others stay. Raises ForbiddenError, NotFoundError.
    """
    again, kept = 0, []
    for row, _owner in list_aside(session, actor=actor, channel=channel):
        if row.state != FileState.QUARANTINED:
            continue
        try:
            with session.begin_nested():
                send_again(session, actor=actor, file_id=row.id, now=now, place=place)
            again += 1
        except (ConflictError, NotFoundError) as error:
            kept.append(str(error))
    return again, kept


def count_as_delivered(
    session: Session, *, actor: Actor, file_id: int, now: datetime, place: str = ""
) -> DeliveredFile:
    """Say that the receiver has a file; it goes to `cur`, unless somebody took it out of there.

    Raises NotFoundError, ConflictError.
    """
    row, channel = _aside(session, actor, file_id)
    if channel.direction == Direction.FETCH:
        raise ConflictError("It never came here whole; fetch it again, or leave it on the server.")
    _record(session, "accept", actor, row, channel, now=now, place=place)
    kept_as = row.kept_as or row.name
    row.state, row.ended_at = FileState.DELIVERED, now
    session.flush()
    with suppress(NotFoundError):
        row.kept_as = Spool(Path(channel.spool)).put_away(kept_as, Space.QUARANTINE, Space.CUR)
    session.flush()
    return row


def _aside(session: Session, actor: Actor, file_id: int) -> tuple[DeliveredFile, Channel]:
    check_operator(actor)
    row = session.get(DeliveredFile, file_id)
    if row is None:
        raise NotFoundError("There is no such file.")
    if row.state not in ASIDE:
        raise ConflictError(f"{row.name} is not put aside any more; it is {row.state}.")
    channel = session.get_one(Channel, row.channel_id)
    return row, channel


def _record(
    session: Session,
    action: str,
    actor: Actor,
    row: DeliveredFile,
    channel: Channel,
    *,
    now: datetime,
    place: str,
) -> None:
    record(
        session,
        actor=actor,
        action=f"delivery.file.{action}",
        object_kind="channel",
        object_id=channel.name,
        now=now,
        address=place,
        detail={"file": row.name, "state": row.state, "number": row.id},
    )
