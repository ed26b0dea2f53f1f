"""Telling operators that a channel is in trouble: once when it begins, and once when it is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import User, UserRole
from portal.accounts.permissions import ROLE_PERMISSIONS, Permission
from portal.delivery.models import Channel
from portal.jobs.notices import Notice, tell
from portal.settings import Settings

ALARM = "alarm"
OVER = "over"
LOCK = "lock"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What operators are told of a channel. `state` is ALARM or OVER."""

    channel: Channel
    state: str
    message: str


def alert(session: Session, told: Alert, *, settings: Settings, now: datetime) -> None:
    """Tell every operator, in the portal and by e-mail; webhooks are told once."""
    event = f"delivery.{told.state}"
    for user_id in _operators(session):
        notice = Notice(
            user_id=user_id,
            state=told.state,
            message=f"Channel “{told.channel.name}”: {told.message}",
            page=f"/delivery/channels/{told.channel.id}",
            event=event,
        )
        tell(session, notice=notice, settings=settings, now=now)
        event = ""


def _operators(session: Session) -> Iterable[int]:
    roles = [role for role, held in ROLE_PERMISSIONS.items() if Permission.DELIVERY_OPERATE in held]
    query = select(User.id).join(UserRole, UserRole.user_id == User.id)
    query = query.where(User.enabled.is_(True), UserRole.role.in_(roles))
    return session.scalars(query.distinct().order_by(User.id)).all()
