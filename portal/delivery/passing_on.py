"""Fetched files go on by themselves where their channel says so: from `new` to an area, to `cur`.

Before a file is handed over its row says so; a run after a crash hands it over again under the same
mark, which its taker knows.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.accounts.permissions import Actor
from portal.artifacts.intakes import Incoming, Intake, Intakes
from portal.audit.service import record
from portal.delivery.channels import get_channel
from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.run import Outcome
from portal.delivery.spool import Space, Spool
from portal.delivery.states import Direction, FileState
from portal.errors import ForbiddenError, InvalidError, PortalError
from portal.jobs.work import Work

AT_ONCE = 500


class Handed(StrEnum):
    """How far the handing over of a file is."""

    HANDING = "handing"
    TAKEN = "taken"


def set_intake(
    session: Session,
    *,
    actor: Actor,
    name: str,
    intake: str,
    intakes: Intakes,
    now: datetime,
    place: str = "",
) -> Channel:
    """Say where the fetched files of a channel go, by the right of `actor`; empty: they stay.

    Raises ForbiddenError where he may not bring files there, InvalidError, NotFoundError.
    """
    channel = get_channel(session, actor=actor, name=name)
    if intake and channel.direction != Direction.FETCH:
        raise InvalidError("Only fetched files can go on by themselves; this channel sends.")
    if intake and not intakes.get(intake).may(actor):
        raise ForbiddenError(f"You may not bring files into {intakes.get(intake).label}.")
    channel.intake, channel.intake_user_id = intake, actor.user_id
    session.flush()
    record(
        session,
        actor=actor,
        action="delivery.channel.intake",
        object_kind="channel",
        object_id=channel.name,
        now=now,
        address=place,
        detail={"intake": intake},
    )
    return channel


def hand_over(
    work: Work, channel: Channel, spool: Spool, outcome: Outcome, *, intakes: Intakes
) -> None:
    """Hand over what was fetched and waits in `new`; what is refused is put aside with the reason.

    Raises DeliveryError where who said so may not any more.
    """
    if not channel.intake:
        return
    waiting = _fetched(work, channel, spool.names(Space.NEW))
    if not waiting:
        return
    intake = intakes.get(channel.intake)
    actor = _actor(work, channel, intake)
    for row in waiting:
        work.checkpoint()
        _hand(work, row, spool, outcome, intake=intake, actor=actor)


def _hand(
    work: Work, row: DeliveredFile, spool: Spool, outcome: Outcome, *, intake: Intake, actor: Actor
) -> None:
    if row.intake != Handed.TAKEN:
        _note(work, row, {"intake": Handed.HANDING})
        path = spool.path(row.name, Space.NEW)
        incoming = Incoming(name=row.name, path=path, mark=f"delivery:{row.id}")
        try:
            intake.take(work.runtime, incoming, actor)
        except PortalError as error:
            _put_aside(work, row, spool, str(error))
            outcome.quarantined += 1
            return
        _note(work, row, {"intake": Handed.TAKEN})
    _note(work, row, {"kept_as": spool.put_away(row.name, Space.NEW, Space.CUR)})


def _put_aside(work: Work, row: DeliveredFile, spool: Spool, why: str) -> None:
    aside = {"state": FileState.QUARANTINED, "reason": Reason.REFUSED_NAME, "message": why}
    _note(work, row, aside | {"intake": ""})
    _note(work, row, {"kept_as": spool.put_away(row.name, Space.NEW, Space.QUARANTINE)})
    work.log(f"{row.name} was put aside: {why}", level="warning")


def _fetched(work: Work, channel: Channel, names: list[str]) -> list[DeliveredFile]:
    """The newest rows of files that lie in `new`, by name; what others put there stays."""
    its = (DeliveredFile.channel_id == channel.id, DeliveredFile.kept_as == "")
    query = select(DeliveredFile).where(*its, DeliveredFile.state == FileState.RECEIVED)
    newest: dict[str, DeliveredFile] = {}
    with work.runtime.reads() as session:
        for start in range(0, len(names), AT_ONCE):
            some = DeliveredFile.name.in_(names[start : start + AT_ONCE])
            found = session.scalars(query.where(some).order_by(DeliveredFile.id))
            newest |= {row.name: row for row in found}
    return [newest[name] for name in names if name in newest]


def _actor(work: Work, channel: Channel, intake: Intake) -> Actor:
    with work.runtime.reads() as session:
        actor = find_actor(session, channel.intake_user_id)
    if actor is None or not actor.enabled or not intake.may(actor):
        raise DeliveryError(
            Reason.PERMISSION,
            f"Who said that files of {channel.name} go into {intake.label} may not do so any more; "
            "somebody who may has to say it anew.",
        )
    return actor


def _note(work: Work, row: DeliveredFile, values: dict[str, Any]) -> None:
    with work.effect() as session:
        change = update(DeliveredFile).where(DeliveredFile.id == row.id)
        session.execute(change.values(**values))
