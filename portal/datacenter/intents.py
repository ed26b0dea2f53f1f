"""Intents in the database: opened before files move, kept while they do, done at the end."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.datacenter.claims import refuse_any_claim
from portal.datacenter.facts import note_fact
from portal.datacenter.models import DataCenterIntent
from portal.datacenter.place import lock_place
from portal.datacenter.steps import Intent, Kind, Step
from portal.db import changed, db_now
from portal.errors import ConflictError, NotFoundError

OBJECT = "datacenter"


class IntentLostError(ConflictError):
    """Another process carries this intent out; this one must not go on."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An intent as the database has it; `result` is there once it is done."""

    intent: Intent
    token: int
    result: Mapping[str, Any] | None


class Intents(Protocol):
    """What the data centre needs of whoever keeps its intents; each call is durable at its end."""

    def find(self, occasion: str) -> Standing | None:
        """What stands for this occasion, done or not."""
        ...

    def open(self, intent: Intent) -> Standing:
        """Keep `intent`, or return the one that stands for the same occasion.

        Raises ConflictError where another for the same files, or for all, is under way.
        """
        ...

    def take(self, intent_id: str) -> Standing:
        """Take an intent on, so that whoever had it stops at his next step."""
        ...

    def keep(self, standing: Standing) -> None:
        """Say that this process is still at it; raises IntentLostError where it must stop."""
        ...

    def done(self, standing: Standing, result: Mapping[str, Any]) -> None:
        """Mark it done; raises IntentLostError where another has it."""
        ...


class DatabaseIntents:
    """Intents in the portal's database, each call in a transaction of its own.

    A job gives its `work.effect`, so that nothing is intended for a job that is not ours.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Session]],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._transaction = transaction
        self._clock = clock

    def find(self, occasion: str) -> Standing | None:
        """See Intents."""
        with self._transaction() as session:
            return find_intent(session, occasion=occasion)

    def open(self, intent: Intent) -> Standing:
        """See Intents."""
        with self._transaction() as session:
            return open_intent(session, intent=intent, now=self._clock())

    def take(self, intent_id: str) -> Standing:
        """See Intents."""
        with self._transaction() as session:
            return take_intent(session, intent_id=intent_id)

    def keep(self, standing: Standing) -> None:
        """See Intents."""
        with self._transaction() as session:
            _update(session, standing, touched_at=db_now())

    def done(self, standing: Standing, result: Mapping[str, Any]) -> None:
        """See Intents."""
        with self._transaction() as session:
            _update(session, standing, done_at=db_now(), result=dict(result))


def find_intent(session: Session, *, occasion: str) -> Standing | None:
    """What stands for this occasion, done or not."""
    row = session.scalar(select(DataCenterIntent).where(DataCenterIntent.occasion == occasion))
    return None if row is None else _standing(row)


def open_intent(session: Session, *, intent: Intent, now: datetime) -> Standing:
    """Keep `intent` with its facts and its audit entry, or return what stands for its occasion."""
    place = lock_place(session)
    known = find_intent(session, occasion=intent.occasion)
    if known is not None:
        return known
    _refuse_others(session, intent)
    if intent.kind is Kind.STORAGE:
        place.path = intent.detail["new"]
    row = _row(intent)
    session.add(row)
    for fact in intent.facts:
        note_fact(session, fact=fact, actor=intent.actor, now=now)
    if intent.action:
        record(
            session,
            actor=intent.actor,
            action=intent.action,
            object_kind=OBJECT,
            object_id=intent.about,
            now=now,
            address=intent.address,
            detail=intent.detail,
        )
    session.flush()
    return Standing(intent=intent, token=row.token, result=None)


def take_intent(session: Session, *, intent_id: str) -> Standing:
    """Take on an intent that is not done; raises NotFoundError where there is none to take."""
    row = session.scalar(
        select(DataCenterIntent)
        .where(DataCenterIntent.id == intent_id, DataCenterIntent.done_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("There is nothing left to do with these files.")
    row.token += 1
    session.execute(
        update(DataCenterIntent)
        .where(DataCenterIntent.id == intent_id)
        .values(touched_at=db_now())
        .execution_options(synchronize_session=False)
    )
    session.flush()
    return _standing(row)


def forgotten_intents(session: Session, *, quiet_seconds: float) -> list[str]:
    """The ids of intents that nobody has touched for so long, oldest first."""
    return list(
        session.scalars(
            select(DataCenterIntent.id)
            .where(DataCenterIntent.done_at.is_(None))
            .where(DataCenterIntent.touched_at < db_now(-quiet_seconds))
            .order_by(DataCenterIntent.touched_at)
        )
    )


def open_intents(session: Session) -> frozenset[str]:
    """The ids of all intents that are not done."""
    query = select(DataCenterIntent.id).where(DataCenterIntent.done_at.is_(None))
    return frozenset(session.scalars(query))


def _refuse_others(session: Session, intent: Intent) -> None:
    others = session.execute(
        select(DataCenterIntent.subject, DataCenterIntent.kind).where(
            DataCenterIntent.done_at.is_(None)
        )
    ).all()
    if any(other.kind == Kind.STORAGE for other in others):
        raise ConflictError("The storage is being moved; try again when that is done.")
    if intent.kind is Kind.STORAGE:
        refuse_any_claim(session)
        if others:
            raise ConflictError("Files are just being moved; try again in a moment.")
    if any(other.subject == intent.subject for other in others):
        raise ConflictError("Files of this name are just being moved; try again in a moment.")


def _row(intent: Intent) -> DataCenterIntent:
    return DataCenterIntent(
        id=intent.id,
        occasion=intent.occasion,
        kind=intent.kind,
        subject=intent.subject[:255],
        steps=intent.steps_as_json(),
        detail=intent.detail,
        token=1,
        touched_at=db_now(),
    )


def _standing(row: DataCenterIntent) -> Standing:
    intent = Intent(
        id=row.id,
        occasion=row.occasion,
        kind=Kind(row.kind),
        subject=row.subject,
        steps=tuple(Step.from_json(step) for step in row.steps),
        detail=row.detail,
    )
    return Standing(intent=intent, token=row.token, result=row.result if row.done_at else None)


def _update(session: Session, standing: Standing, **values: Any) -> None:
    mine = (
        update(DataCenterIntent)
        .where(DataCenterIntent.id == standing.intent.id)
        .where(DataCenterIntent.token == standing.token, DataCenterIntent.done_at.is_(None))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed(session, mine) == 0:
        raise IntentLostError("Another process carries on with these files.")
