"""Mappings that were saved: shown to who sees the data centre, removed by who edits it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.datacenter.rules.models import WatchRule
from portal.errors import ForbiddenError
from portal.rows import mappings
from portal.rows.batch_kinds import BatchKinds
from portal.rows.profiles import Profile


def remove_mapping(
    session: Session,
    *,
    name: str,
    actor: Actor,
    now: datetime,
    kinds: BatchKinds,
    address: str = "",
) -> Profile:
    """Remove a saved mapping with all its versions; returns what it was.

    Raises ForbiddenError, NotFoundError, and ConflictError where something works with it.
    """
    if not actor.may(Permission.DATACENTER_EDIT):
        raise ForbiddenError("You may not delete mappings of the data centre.")
    return mappings.remove_mapping(
        session, name=name, actor=actor, now=now, kinds=kinds, address=address
    )


def rules_with(session: Session, name: str) -> list[str]:
    """The watch rules that work with a mapping."""
    found = session.scalars(select(WatchRule.name).where(WatchRule.profile == name))
    return [f"the rule {rule!r}" for rule in found]
