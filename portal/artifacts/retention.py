"""How long artifacts are kept: until they expire, and only the newest of a kind per owner."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.artifacts.models import Artifact
from portal.artifacts.service import Owner, forget, remove_files
from portal.runtime import Runtime

AT_ONCE = 200


def remove_expired(runtime: Runtime) -> int:
    """Remove artifacts whose time is over, row and file together; returns how many."""
    with runtime.reads() as session:
        over = find_expired(session, now=runtime.clock())
    return _remove(runtime, over)


def remove_surplus(runtime: Runtime, *, kind: str, newest: int) -> int:
    """Remove what each owner has of `kind` beyond the newest ones; returns how many."""
    with runtime.reads() as session:
        surplus = find_surplus(session, kind=kind, newest=newest)
    return _remove(runtime, surplus)


def find_expired(session: Session, *, now: datetime) -> list[str]:
    """The ids of artifacts whose time is over, at most a batch of them."""
    return list(
        session.scalars(select(Artifact.id).where(Artifact.expires_at <= now).limit(AT_ONCE))
    )


def find_surplus(
    session: Session, *, kind: str, newest: int, owner: Owner | None = None
) -> list[str]:
    """The ids of artifacts of `kind` beyond each owner's (or this owner's) `newest` ones."""
    place = (
        func.row_number()
        .over(
            partition_by=(Artifact.owner_kind, Artifact.owner_id),
            order_by=(Artifact.created_at.desc(), Artifact.id),
        )
        .label("place")
    )
    ranked = select(Artifact.id, place).where(Artifact.kind == kind)
    if owner is not None:
        ranked = ranked.where(Artifact.owner_kind == owner.kind, Artifact.owner_id == owner.id)
    inner = ranked.subquery()
    return list(session.scalars(select(inner.c.id).where(inner.c.place > newest).limit(AT_ONCE)))


def _remove(runtime: Runtime, artifact_ids: list[str]) -> int:
    if artifact_ids:
        with runtime.sessions.begin() as session:
            forget(session, artifact_ids)
        remove_files(runtime.settings, artifact_ids)
    return len(artifact_ids)
