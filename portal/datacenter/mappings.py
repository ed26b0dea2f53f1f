"""Mappings that were saved: shown to who sees the data centre, removed by who edits it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.datacenter.rules.models import WatchRule
from portal.errors import ConflictError, ForbiddenError
from portal.rows.profiles import Profile, forget_profile, get_profile

OBJECT = "mapping"


def remove_mapping(
    session: Session, *, name: str, actor: Actor, now: datetime, address: str = ""
) -> Profile:
    """Remove a saved mapping with all its versions; returns what it was.

    Raises ForbiddenError, NotFoundError, and ConflictError where a rule works with it.
    """
    if not actor.may(Permission.DATACENTER_EDIT):
        raise ForbiddenError("You may not delete mappings of the data centre.")
    profile = get_profile(session, name=name)
    rules = session.scalars(select(WatchRule.name).where(WatchRule.profile == name)).all()
    if rules:
        raise ConflictError(
            f"Rules work with the mapping {name!r}: {', '.join(sorted(rules))}. Change them first."
        )
    forget_profile(session, name=name)
    record(
        session,
        actor=actor,
        action="mapping.delete",
        object_kind=OBJECT,
        object_id=name,
        now=now,
        address=address,
        detail={"processor": profile.processor, "mode": profile.mode, "version": profile.version},
    )
    session.flush()
    return profile
