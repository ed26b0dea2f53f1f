"""How much a channel brought over in the last hours or days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from portal.delivery.models import DeliveredFile
from portal.delivery.states import FileState

HOURS, DAYS = 24, 30
DONE = (FileState.DELIVERED, FileState.RECEIVED)


class Span(StrEnum):
    """What is looked back at."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class Portion:
    """What was brought over from `start` until the next portion begins."""

    start: datetime
    label: str
    files: int = 0
    bytes: int = 0


def starts_of(span: Span, *, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """When each portion begins, in `zone`: full hours or midnights; the last one is not over."""
    here = now.astimezone(zone)
    if span is Span.DAY:
        hour = here.replace(minute=0, second=0, microsecond=0)
        return [hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    days = [here.date() - timedelta(days=back) for back in reversed(range(DAYS))]
    return [datetime.combine(day, time(), zone) for day in days]


def portions(
    session: Session, *, channel_id: int, span: Span, now: datetime, zone: ZoneInfo
) -> Sequence[Portion]:
    """Files and bytes of each portion, the oldest first; those without any are there too."""
    starts = starts_of(span, now=now, zone=zone)
    sums = _sums(session, channel_id, starts)
    shown = "%H:00" if span is Span.DAY else "%d %b"
    return [
        Portion(start=start, label=start.strftime(shown), files=files, bytes=size)
        for start, (files, size) in zip(starts, sums, strict=True)
    ]


def _sums(session: Session, channel_id: int, starts: Sequence[datetime]) -> list[tuple[int, int]]:
    ended = DeliveredFile.ended_at
    later = [(ended < start, number) for number, start in enumerate(starts[1:])]
    portion = case(*later, else_=len(starts) - 1)
    query = (
        select(portion, func.count(), func.sum(DeliveredFile.size))
        .where(DeliveredFile.channel_id == channel_id, DeliveredFile.state.in_(DONE))
        .where(ended >= starts[0])
        .group_by(portion)
    )
    found = {number: (files, int(size)) for number, files, size in session.execute(query)}
    return [found.get(number, (0, 0)) for number in range(len(starts))]
