"""Users as actors: what the database says of a person, in the form that decides about rights."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Actor, Role


def actor_of(user: User) -> Actor:
    """The actor that `user` is as his row stands now."""
    return Actor(
        user_id=user.id,
        name=user.name,
        display_name=user.display_name or user.name,
        roles=frozenset(Role(row.role) for row in user.roles),
        enabled=user.enabled,
    )


def find_actor(session: Session, user_id: int | None) -> Actor | None:
    """The actor with this id; the system for None; None where the user is gone."""
    if user_id is None:
        return SYSTEM
    user = session.scalar(select(User).where(User.id == user_id))
    return None if user is None else actor_of(user)
