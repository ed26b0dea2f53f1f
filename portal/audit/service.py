"""Writing audit rows. Sealing them into the chain is the reconciler's work (audit/chain.py)."""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry


class Who(Protocol):
    """Somebody who acts: a user, or Portal itself where there is no id."""

    @property
    def user_id(self) -> int | None:
        """The user's id."""

    @property
    def name(self) -> str:
        """The name that stays readable when the user is gone."""


def record(
    session: Session,
    *,
    actor: Who,
    action: str,
    object_kind: str,
    object_id: str,
    now: datetime,
    address: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Write who did what, on what, when and from where, in the transaction that does it.

    `detail` holds ids and plain values, never secrets.
    """
    session.add(
        AuditEntry(
            at=now,
            actor_id=actor.user_id,
            actor_name=actor.name,
            action=action,
            object_kind=object_kind,
            object_id=object_id[:255],
            address=address[:64],
            detail=detail or {},
        )
    )
