"""Channels whose last run failed, or met a lock, are run again when their time has come."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import SYSTEM
from portal.db import changed
from portal.delivery.models import Channel
from portal.delivery.orders import Asking, run_now
from portal.jobs.engine import JobEngine
from portal.jobs.wake import RedisWaker

AT_ONCE = 50

log = structlog.get_logger("portal.delivery")


def run_again(engine: JobEngine) -> int:
    """Ask for the runs that are due; returns for how many. Each due time counts once."""
    now = engine.runtime.clock()
    with engine.runtime.reads() as session:
        due = _due(session, now)
    return sum(_ask(engine, channel, now) for channel in due)


def _due(session: Session, now: datetime) -> Sequence[Channel]:
    query = select(Channel).where(Channel.next_try_at <= now, Channel.paused.is_(False))
    return session.scalars(query.order_by(Channel.next_try_at).limit(AT_ONCE)).all()


def _ask(engine: JobEngine, channel: Channel, now: datetime) -> bool:
    with engine.runtime.sessions.begin() as session:
        taken = (
            update(Channel)
            .where(Channel.id == channel.id, Channel.next_try_at == channel.next_try_at)
            .values(next_try_at=None)
        )
        if changed(session, taken) == 0:
            return False
        asking = Asking(
            actor=SYSTEM, kinds=engine.kinds, waker=RedisWaker(engine.runtime.redis), now=now
        )
        run_now(session, asking, name=channel.name)
    log.debug("channel runs again", channel=channel.id)
    return True
