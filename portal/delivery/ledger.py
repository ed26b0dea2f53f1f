"""The ledger of a run: each row is committed before the step that it tells of.

Every write is an effect of the run's job, so that a process that lost its job writes nothing.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from portal.delivery.faults import DeliveryError
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.states import OPEN, FileState
from portal.jobs.work import Work

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of the ledger, as a run sees it."""

    id: int
    name: str
    state: FileState
    size: int
    identity: str = ""
    sha256: str = ""
    temporary: str = ""
    modified: datetime | None = None
    tries: int = 1

    @property
    def backup(self) -> str:
        """What an old target is called while a new one takes its place."""
        return f"{self.temporary}.before"


class Ledger:
    """The rows of one channel, written by one job; one of its connections at a time."""

    def __init__(self, work: Work, channel_id: int) -> None:
        self.desk = threading.RLock()
        self._work = work
        self._channel_id = channel_id

    def open_entries(self) -> list[Entry]:
        """Files that an earlier run began with and did not end, oldest first."""
        with self._work.runtime.reads() as session:
            found = session.scalars(
                select(DeliveredFile)
                .where(DeliveredFile.channel_id == self._channel_id)
                .where(DeliveredFile.state.in_(OPEN))
                .order_by(DeliveredFile.id)
            )
            return [_entry(row) for row in found]

    def ended(self, names: Sequence[str], state: FileState) -> list[Entry]:
        """The rows of these names that came to `state`."""
        found: list[Entry] = []
        with self._work.runtime.reads() as session:
            for start in range(0, len(names), _AT_ONCE):
                rows = session.scalars(
                    select(DeliveredFile)
                    .where(DeliveredFile.channel_id == self._channel_id)
                    .where(DeliveredFile.state == state)
                    .where(DeliveredFile.name.in_(names[start : start + _AT_ONCE]))
                )
                found += [_entry(row) for row in rows]
        return found

    def begin(self, entries: Sequence[Entry]) -> list[Entry]:
        """Commit that these files are begun with.

        An entry with the id 0 gets a row; another has one from an earlier attempt.
        """
        begun = {
            "job_id": self._work.claim.job_id,
            "token": self._work.claim.token,
            "reason": "",
            "message": "",
            "started_at": self._work.runtime.clock(),
            "ended_at": None,
        }
        with self.desk, self._work.effect() as session:
            for entry in entries:
                if entry.id:
                    _change(session, entry.id, _values(entry) | begun)
            return self._added(session, entries, begun)

    def note(self, entries: Sequence[Entry]) -> None:
        """Commit what is done next with these files: their new states and what is known."""
        if not entries:
            return
        now = self._work.runtime.clock()
        rows = [
            {"number": entry.id, "ended_at": None if entry.state.open else now} | _values(entry)
            for entry in entries
        ]
        with self.desk, self._work.effect() as session:
            session.connection().execute(_NOTED, rows)

    def fail(self, entry: Entry, fault: DeliveryError, *, kept_as: str = "") -> None:
        """Commit why a file failed, in the state that `entry` has."""
        values = {"reason": fault.reason, "message": str(fault), "kept_as": kept_as}
        ended = None if entry.state.open else self._work.runtime.clock()
        with self.desk, self._work.effect() as session:
            _change(session, entry.id, _values(entry) | values | {"ended_at": ended})

    def keep_name(self, entry: Entry, kept_as: str) -> None:
        """Commit what a file is called where it was put."""
        with self.desk, self._work.effect() as session:
            _change(session, entry.id, {"kept_as": kept_as})

    def keep_lock(self, lock_id: str) -> None:
        """Commit the id of the lock that is about to be made on the server; empty: it is gone."""
        with self.desk, self._work.effect() as session:
            session.execute(
                update(Channel).where(Channel.id == self._channel_id).values(lock_id=lock_id)
            )

    def _added(
        self, session: Session, entries: Sequence[Entry], begun: dict[str, Any]
    ) -> list[Entry]:
        """The entries with their ids; rows are made for those that have none."""
        rows = [
            {"channel_id": self._channel_id} | _values(entry) | begun
            for entry in entries
            if not entry.id
        ]
        if not rows:
            return list(entries)
        last = session.scalar(select(func.max(DeliveredFile.id))) or 0
        session.connection().execute(_ADDED, rows)
        ids = {
            name: number
            for number, name in session.execute(
                select(DeliveredFile.id, DeliveredFile.name)
                .where(DeliveredFile.id > last, DeliveredFile.channel_id == self._channel_id)
                .where(DeliveredFile.name.in_([row["name"] for row in rows]))
            )
        }
        return [entry if entry.id else replace(entry, id=ids[entry.name]) for entry in entries]


_TABLE = cast("Table", DeliveredFile.__table__)
_ADDED = insert(_TABLE)
_NOTED = update(_TABLE).where(_TABLE.c.id == bindparam("number"))


def _entry(row: DeliveredFile) -> Entry:
    return Entry(
        id=row.id,
        name=row.name,
        state=FileState(row.state),
        size=row.size,
        identity=row.identity,
        sha256=row.sha256,
        temporary=row.temporary,
        modified=row.modified,
        tries=row.tries,
    )


def _values(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "state": entry.state,
        "size": entry.size,
        "identity": entry.identity,
        "sha256": entry.sha256,
        "temporary": entry.temporary,
        "modified": entry.modified,
        "tries": entry.tries,
    }


def _change(session: Session, number: int, values: dict[str, Any]) -> None:
    session.execute(
        update(DeliveredFile)
        .where(DeliveredFile.id == number)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
