"""Removing a saved mapping, the same for every area: never while something works with it."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.audit.service import record
from portal.errors import ConflictError
from portal.rows.batch_kinds import BatchKinds
from portal.rows.profiles import Profile, forget_profile, get_profile

OBJECT = "mapping"


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

    The caller has checked the right. Raises NotFoundError, and ConflictError naming what works
    with it.
    """
    profile = get_profile(session, name=name)
    using = sorted(one for kind in kinds for one in kind.works_with(session, name))
    if using:
        raise ConflictError(
            f"Something works with the mapping {name!r}: {', '.join(using)}. "
            "Change or delete that first."
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
