"""Removing users whom nobody has been yet. Whoever was somebody stays on record, disabled."""

from datetime import datetime

from sqlalchemy import Column, literal, select
from sqlalchemy.orm import Session

from portal.accounts.models import SignInSession, User, UserRole
from portal.accounts.passwords import NOBODYS_HASH
from portal.accounts.permissions import Actor, Role
from portal.accounts.service import has_another_admin
from portal.audit.service import record
from portal.errors import ConflictError


def remove_unused_user(
    session: Session, user: User, *, actor: Actor, now: datetime, address: str = ""
) -> None:
    """Remove `user` as if never made; raises what `check_removable` does."""
    check_removable(session, user)
    session.refresh(user, with_for_update=True)  # nobody gives a password meanwhile
    check_removable(session, user)
    record(
        session,
        actor=actor,
        action="user.remove",
        object_kind="user",
        object_id=str(user.id),
        now=now,
        address=address,
        detail={"name": user.name},
    )
    session.delete(user)
    session.flush()


def check_removable(session: Session, user: User) -> None:
    """Raise ConflictError for the last admin, and for a user who has left a trace.

    Who was ever given a password, or is named by a row of any room, could not be brought back.
    """
    if is_admin(user) and not has_another_admin(session, user):
        raise ConflictError(f"Cannot remove last admin: {user.name}")
    if user.password_hash != NOBODYS_HASH or _is_referred_to(session, user):
        raise ConflictError(
            f"{user.name!r} has been used and stays on record; set `enabled` to no instead."
        )


def is_admin(user: User) -> bool:
    """Say whether `user` is one of the enabled admins, of whom there is always one."""
    return user.enabled and any(row.role == Role.ADMIN for row in user.roles)


def _is_referred_to(session: Session, user: User) -> bool:
    """Whether a row of any room names the user; the rooms above need not be known for that."""
    return any(
        session.scalar(select(literal(1)).where(column == user.id).limit(1)) is not None
        for column in _referring_columns()
    )


def _referring_columns() -> list[Column[int]]:
    own = {UserRole.__table__, SignInSession.__table__}
    return [
        key.parent
        for table in User.metadata.sorted_tables
        if table not in own
        for key in table.foreign_keys
        if key.column.table is User.__table__
    ]
