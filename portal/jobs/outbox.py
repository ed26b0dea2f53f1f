"""Sending what is still to be sent: e-mails and webhooks, each tried until it is taken or given up.

Each row is leased by a conditional UPDATE before it is sent, so two processes do not send it at
once; what a crash leaves unsaid is sent again (receivers know it by its id). No failure here ever
touches a job.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from smtplib import SMTPException
from typing import Any

import structlog
from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from portal.db import changed
from portal.jobs.mail import send_mail
from portal.jobs.models import Outgoing
from portal.jobs.notices import EMAIL
from portal.jobs.webhook import RefusedError, send_webhook
from portal.runtime import Runtime

MAX_TRIES = 10
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
LEASE = timedelta(minutes=2)
AT_ONCE = 100
ROUND_SECONDS = 5.0
_LOST = (Outgoing.sent_at.is_(None), Outgoing.tries >= MAX_TRIES)

log = structlog.get_logger("portal.outbox")


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """A message that nobody took: over which channel, for whom, and why."""

    id: int
    channel: str
    target: str
    error: str
    created_at: datetime


def send_due(runtime: Runtime) -> int:
    """Send what is due, for a few seconds at most; returns how many were taken by the other side.

    A target that fails is left alone for the rest of the round, so that it does not hold up others.
    """
    end = time.monotonic() + ROUND_SECONDS
    sent, failing = 0, set()
    for row in _due(runtime):
        if time.monotonic() >= end:
            break
        if (row.channel, row.target) in failing:
            continue
        outcome = _send_one(runtime, row)
        sent += outcome is True
        if outcome is False:
            failing.add((row.channel, row.target))
    return sent


def deliver(runtime: Runtime, *, over: threading.Event) -> None:
    """Send what is due again and again, until `over` is set; for a thread of its own."""
    while not over.is_set():
        try:
            send_due(runtime)
        except Exception:  # nobody waits for this thread, so it must not end
            log.exception("messages not sent, they are tried again")
        over.wait(runtime.settings.reconcile_seconds)


def count_given_up(session: Session) -> int:
    """How many messages were tried too often."""
    return session.execute(select(func.count()).select_from(Outgoing).where(*_LOST)).scalar_one()


def given_up(session: Session, *, limit: int = 20) -> Sequence[GivenUp]:
    """The messages that were tried too often, the newest first."""
    rows = session.execute(
        select(Outgoing.id, Outgoing.channel, Outgoing.target, Outgoing.error, Outgoing.created_at)
        .where(*_LOST)
        .order_by(Outgoing.id.desc())
        .limit(limit)
    )
    return [GivenUp(**row._mapping) for row in rows]  # noqa: SLF001 (SQLAlchemy's public name)


def pause_after(tries: int) -> timedelta:
    """How long to wait after that many tries: twice as long each time, six hours at most."""
    doublings: int = 2 ** max(0, min(tries, MAX_TRIES) - 1)
    return min(LONGEST_PAUSE, FIRST_PAUSE * doublings)


def _due(runtime: Runtime) -> Sequence[Row[*tuple[Any, ...]]]:
    with runtime.reads() as session:
        return session.execute(
            select(Outgoing.id, Outgoing.channel, Outgoing.target, Outgoing.tries)
            .where(
                Outgoing.sent_at.is_(None),
                Outgoing.tries < MAX_TRIES,
                Outgoing.next_try_at <= runtime.clock(),
            )
            .order_by(Outgoing.next_try_at, Outgoing.id)
            .limit(AT_ONCE)
        ).all()


def _send_one(runtime: Runtime, row: Row[*tuple[Any, ...]]) -> bool | None:
    """Whether it was taken; None where another process has it."""
    outgoing = _lease(runtime, row)
    if outgoing is None:
        return None
    try:
        _send(runtime, outgoing)
    except (OSError, HTTPException, SMTPException, RefusedError, ValueError) as error:
        _note(runtime, outgoing, error=f"{type(error).__name__}: {error}"[:500])
        return False
    _note(runtime, outgoing, error="")
    return True


def _lease(runtime: Runtime, row: Row[*tuple[Any, ...]]) -> Outgoing | None:
    """Take one try at a message; it counts even if this process dies while it sends."""
    with runtime.sessions.begin() as session:
        statement = (
            update(Outgoing)
            .where(Outgoing.id == row.id, Outgoing.tries == row.tries, Outgoing.sent_at.is_(None))
            .values(tries=row.tries + 1, next_try_at=runtime.clock() + LEASE)
            .execution_options(synchronize_session=False)
        )
        if changed(session, statement) == 0:
            return None
        return session.scalars(select(Outgoing).where(Outgoing.id == row.id)).one()


def _send(runtime: Runtime, outgoing: Outgoing) -> None:
    if outgoing.channel == EMAIL:
        send_mail(outgoing, settings=runtime.settings)
    else:
        send_webhook(outgoing, settings=runtime.settings, now=runtime.clock())


def _note(runtime: Runtime, outgoing: Outgoing, *, error: str) -> None:
    now = runtime.clock()
    values: dict[str, Any] = {"error": error, "sent_at": now}
    if error:
        values = {"error": error, "next_try_at": now + pause_after(outgoing.tries)}
        log.warning("not sent", outgoing=outgoing.id, tries=outgoing.tries, error=error)
    with runtime.sessions.begin() as session:
        session.execute(
            update(Outgoing)
            .where(Outgoing.id == outgoing.id, Outgoing.tries == outgoing.tries)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
