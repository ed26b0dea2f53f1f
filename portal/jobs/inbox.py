"""Messages to one user in the portal, and what people did to a job."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.audit.models import AuditEntry
from portal.db import changed
from portal.errors import NotFoundError
from portal.jobs.models import Notification

PAGE = 50


def messages(
    session: Session, *, actor: Actor, before: int | None = None, size: int = PAGE
) -> tuple[Sequence[Row[*tuple[Any, ...]]], bool]:
    """A page of the actor's messages, the newest first, and whether there are older ones."""
    query = select(
        Notification.id,
        Notification.job_id,
        Notification.state,
        Notification.message,
        Notification.page,
        Notification.created_at,
        Notification.read_at,
    ).where(Notification.user_id == actor.user_id)
    if before is not None:
        query = query.where(Notification.id < before)
    rows = session.execute(query.order_by(Notification.id.desc()).limit(size + 1)).all()
    return rows[:size], len(rows) > size


def mark_read(session: Session, *, actor: Actor, message_id: int, now: datetime) -> str:
    """Mark one of the actor's messages as read; returns the page of what it is about."""
    message = session.get(Notification, message_id)
    if message is None or message.user_id != actor.user_id:
        raise NotFoundError("There is no such message.")
    message.read_at = message.read_at or now
    return f"/jobs/{message.job_id}" if message.job_id else message.page


def mark_all_read(session: Session, *, actor: Actor, now: datetime) -> int:
    """Mark all of the actor's messages as read; returns how many were not."""
    statement = (
        update(Notification)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )
    return changed(session, statement)


def history(session: Session, *, job_id: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """Who cancelled and retried a job, and when, the newest first."""
    query = select(AuditEntry.at, AuditEntry.actor_name, AuditEntry.action).where(
        AuditEntry.object_kind == "job", AuditEntry.object_id == job_id
    )
    return session.execute(query.order_by(AuditEntry.id.desc()).limit(PAGE)).all()
