"""The channels as their list shows them: how each stands, what waits, the last and next run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.delivery.backlog import count_lying
from portal.delivery.channels import list_channels
from portal.delivery.endpoints import address_of
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.orders import RUN, SUBJECT
from portal.delivery.standing import Mood, Standing, next_of, standing_of
from portal.delivery.states import ASIDE
from portal.jobs.models import Schedule
from portal.jobs.queries import JobRow, latest_row
from portal.jobs.views import JobView, view_rows
from portal.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which channels a list shows; what is empty is not asked for."""

    text: str = ""
    mood: str = ""
    direction: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.mood or self.direction)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A channel in the list. `lying` is None where its spool cannot be read.

    `said` is what its last run came to.
    """

    channel: Channel
    server: str
    standing: Standing
    lying: int | None
    aside: int
    run: JobView | None
    said: str
    next_at: datetime | None


def list_lines(
    session: Session, *, runtime: Runtime, actor: Actor, wanted: Wanted
) -> Sequence[Line]:
    """The channels that are wanted, by name. Raises ForbiddenError."""
    found = [one for one in list_channels(session, actor=actor) if _is_meant(one, wanted)]
    times, aside = scheduled_times(session), _count_aside(session, found)
    lines = []
    for channel, (run, said) in zip(found, _last_runs(session, runtime, found), strict=True):
        line = Line(
            channel=channel,
            server=address_of(channel.endpoint).url,
            standing=standing_of(channel, state=run.state if run else ""),
            lying=count_lying(channel),
            aside=aside.get(channel.id, 0),
            run=run,
            said=said,
            next_at=next_of(channel, scheduled=times.get(channel.id)),
        )
        if wanted.mood in ("", line.standing.mood):
            lines.append(line)
    return lines


def scheduled_times(session: Session) -> dict[int, datetime]:
    """When each channel runs next by a schedule, by the channel's id."""
    query = select(Schedule.args, Schedule.next_at).where(
        Schedule.kind == RUN, Schedule.enabled, Schedule.next_at.is_not(None)
    )
    times: dict[int, datetime] = {}
    for args, next_at in session.execute(query.order_by(Schedule.next_at)):
        times.setdefault(int(args["channel_id"]), next_at)
    return times


def is_active(lines: Sequence[Line]) -> bool:
    """Whether one of them runs or is about to."""
    return any(line.standing.mood is Mood.ACTIVE for line in lines)


def _is_meant(channel: Channel, wanted: Wanted) -> bool:
    if wanted.direction and channel.direction != wanted.direction:
        return False
    said = f"{channel.name}\n{channel.endpoint.name}\n{channel.endpoint.host}".casefold()
    return wanted.text.casefold() in said


def _last_runs(
    session: Session, runtime: Runtime, channels: Sequence[Channel]
) -> list[tuple[JobView | None, str]]:
    rows = [
        latest_row(session, kind=RUN, subject_kind=SUBJECT, subject_id=str(channel.id))
        for channel in channels
    ]
    views = iter(view_rows([row for row in rows if row is not None], runtime=runtime))
    return [(None, "") if row is None else (next(views), _said(row)) for row in rows]


def _said(row: JobRow) -> str:
    return str(row.reason or row.result.get("message", ""))


def _count_aside(session: Session, channels: Sequence[Channel]) -> dict[int, int]:
    query = (
        select(DeliveredFile.channel_id, func.count())
        .where(DeliveredFile.channel_id.in_([channel.id for channel in channels]))
        .where(DeliveredFile.state.in_(ASIDE))
        .group_by(DeliveredFile.channel_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
