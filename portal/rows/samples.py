"""What a batch did, or would do, by some of its rows: cells before and after, and what failed."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.rows import ledger
from portal.rows.batch import Batch, Entry, Outcome
from portal.rows.books import open_books
from portal.rows.images import values_of
from portal.rows.schema import LedgerTables
from portal.runtime import Runtime
from portal.tabular.canonical import text_of

CHANGES_SHOWN = 50
FAULTS_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Change:
    """A cell that a batch changes: its row, its field, and what stood there before."""

    row: int
    key: str
    field: str
    before: str
    after: str


def samples_of(runtime: Runtime, batch: Batch) -> tuple[tuple[Change, ...], tuple[Entry, ...]]:
    """The first cells that the batch changes, and the first of its failing rows."""
    books = open_books(runtime, batch.store)
    with books.read() as session:
        there = ledger.find_batch(session, books.tables, batch.id)
        if there is None:
            return (), ()
        updated = _first(session, books.tables, there, Outcome.UPDATED, CHANGES_SHOWN)
        failing = _first(session, books.tables, there, Outcome.FAILED, FAULTS_SHOWN)
    changes = [change for entry in updated for change in _changes(entry)]
    return tuple(changes[:CHANGES_SHOWN]), tuple(failing)


def skipped_of(runtime: Runtime, batch: Batch) -> tuple[Entry, ...]:
    """The first of the rows that were left out; each says why."""
    if not batch.counts.skipped:
        return ()
    books = open_books(runtime, batch.store)
    with books.read() as session:
        there = ledger.find_batch(session, books.tables, batch.id)
        if there is None:
            return ()
        return tuple(_first(session, books.tables, there, Outcome.SKIPPED, FAULTS_SHOWN))


def _first(
    session: Session, tables: LedgerTables, batch: Batch, outcome: Outcome, limit: int
) -> list[Entry]:
    """The first fates of an outcome; `entries` reads by pages, so little more is read."""
    column = tables.row.c.outcome == str(outcome)
    found = ledger.entries(session, tables, batch, column)
    return [entry for entry, _ in zip(found, range(limit), strict=False)]


def _changes(entry: Entry) -> list[Change]:
    before, after = values_of(entry.before or {}), values_of(entry.after or {})
    return [
        Change(
            row=entry.first_row,
            key=entry.record_key,
            field=name,
            before=text_of(before.get(name)),
            after=text_of(value),
        )
        for name, value in after.items()
        if before.get(name) != value
    ]
