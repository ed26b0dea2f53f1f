"""Everything that the page of a channel shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.delivery.backlog import Backlog, look_into
from portal.delivery.channels import channel_with
from portal.delivery.endpoints import address_of
from portal.delivery.handing import HAND
from portal.delivery.meter import Transfer, transfers_of
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.orders import BREAK, RUN, SUBJECT
from portal.delivery.overview import scheduled_times
from portal.delivery.standing import Standing, key_to_approve, next_of, standing_of
from portal.delivery.states import ASIDE
from portal.jobs.kinds import Kinds
from portal.jobs.views import JobView, view_latest
from portal.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Whose lock the last run met; `beat` is its last sign of life, `seen` when it was seen."""

    name: str
    owner: str
    host: str
    since: datetime | None
    beat: datetime | None
    seen: datetime
    stale: bool


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A channel as its page shows it. `run` is its newest run, `others` are newer jobs of it."""

    channel: Channel
    server: str
    standing: Standing
    key_to_approve: bool
    backlog: Backlog
    run: JobView | None
    others: Sequence[JobView]
    lock: Lock | None
    transfers: Sequence[Transfer]
    aside: int
    next_at: datetime | None

    @property
    def active(self) -> bool:
        """Whether something goes on now."""
        return any(job.active for job in (*self.others, *([self.run] if self.run else ())))


def look_at(
    session: Session, *, runtime: Runtime, kinds: Kinds, actor: Actor, channel_id: int
) -> Looked:
    """Look at a channel. Raises ForbiddenError, NotFoundError."""
    channel = channel_with(session, actor=actor, channel_id=channel_id)

    def newest(kind: str) -> JobView | None:
        return view_latest(
            session,
            runtime=runtime,
            kinds=kinds,
            actor=actor,
            kind=kind,
            subject_kind=SUBJECT,
            subject_id=str(channel.id),
        )

    run, others = newest(RUN), [job for job in map(newest, (HAND, BREAK)) if job is not None]
    return Looked(
        channel=channel,
        server=address_of(channel.endpoint).url,
        standing=standing_of(channel, state=run.state if run else ""),
        key_to_approve=key_to_approve(channel),
        backlog=look_into(channel),
        run=run,
        others=[job for job in others if job.active or not run or job.number > run.number],
        lock=lock_of(channel.blocked),
        transfers=transfers_of(runtime.redis, run.id) if run and run.active else (),
        aside=_count_aside(session, channel),
        next_at=next_of(channel, scheduled=scheduled_times(session).get(channel.id)),
    )


def lock_of(noted: dict[str, Any]) -> Lock | None:
    """The lock that a run noted; None where it met none."""
    if not noted:
        return None
    return Lock(
        name=noted["lock"],
        owner=noted["owner"],
        host=noted["host"],
        since=_moment(noted["since"]),
        beat=_moment(noted["beat"]),
        seen=datetime.fromisoformat(noted["seen"]),
        stale=noted["stale"],
    )


def _count_aside(session: Session, channel: Channel) -> int:
    query = select(func.count()).select_from(DeliveredFile)
    its = (DeliveredFile.channel_id == channel.id, DeliveredFile.state.in_(ASIDE))
    return session.scalar(query.where(*its)) or 0


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
