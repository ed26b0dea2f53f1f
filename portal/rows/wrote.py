"""Which batches wrote a record: looked up in the ledger, and in files where it tells ranges."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import PortalError
from portal.rows.batch import EFFECTS, Batch, Outcome
from portal.rows.batch_row import batch_of
from portal.rows.books import Books, open_books
from portal.rows.deciding import Action
from portal.rows.processors import Acting, Processor, Record
from portal.rows.traces import Source, has_ranges, open_cells, traces
from portal.rows.undertaking import Undertaking, undertake
from portal.rows.undoing import Trace, undoing
from portal.runtime import Runtime

MOST_BATCHES = 200
MOST_ROWS = 100_000  # of files that are read for one answer
AT_ONCE = 2_000


@dataclass(frozen=True, kw_only=True)
class Wrote:
    """A batch that wrote the record, by which row of its file, and what it did with it."""

    batch: Batch
    outcome: Outcome
    row: int


@dataclass(frozen=True, kw_only=True)
class Writers:
    """The batches that wrote a record, the newest first.

    `unsearched` made records, too, but of so many rows that it takes too long to look for one.
    """

    found: list[Wrote] = field(default_factory=list)
    unsearched: list[Batch] = field(default_factory=list)


def writers_of(
    runtime: Runtime,
    processor: Processor,
    record: Record,
    *,
    acting: Acting,
    most_rows: int = MOST_ROWS,
) -> Writers:
    """Which of the newest batches of `processor` wrote `record`.

    Of files that tell ranges only, at most `most_rows` rows are read.
    """
    books = open_books(runtime, processor.store)
    with books.read() as session:
        batches = _batches(session, books, processor)
        found = _by_key(session, books, batches, record)
    writers, left = Writers(found=found), most_rows
    for batch in batches:
        if batch.id in {one.batch.id for one in found} or not _made_ranges(books, batch):
            continue
        left -= batch.next_row - 1
        if left < 0:
            writers.unsearched.append(batch)
        else:
            writers.found.extend(_in_file(books, processor, batch, record, acting=acting))
    writers.found.sort(key=lambda one: one.batch.number, reverse=True)
    return writers


def _batches(session: Session, books: Books, processor: Processor) -> list[Batch]:
    """Those that changed records and still know which."""
    table = books.tables.batch
    its = (
        table.c.processor == processor.name,
        table.c.dry_run.is_(False),
        table.c.forgotten_at.is_(None),
        table.c.created + table.c.updated + table.c.removed > 0,
    )
    newest = select(table).where(*its).order_by(table.c.number.desc()).limit(MOST_BATCHES)
    return [batch_of(row) for row in session.execute(newest)]


def _by_key(
    session: Session, books: Books, batches: Sequence[Batch], record: Record
) -> list[Wrote]:
    table, numbers = books.tables.row, {batch.number: batch for batch in batches}
    its = (
        table.c.batch.in_(list(numbers)),
        table.c.record_key == record.key,
        table.c.outcome.in_([str(outcome) for outcome in EFFECTS]),
    )
    rows = session.execute(select(table.c.batch, table.c.outcome, table.c.first_row).where(*its))
    return [
        Wrote(batch=numbers[row.batch], outcome=Outcome(row.outcome), row=row.first_row)
        for row in rows
    ]


def _made_ranges(books: Books, batch: Batch) -> bool:
    if not batch.counts.created:
        return False
    with books.read() as session:
        return has_ranges(session, books.tables, batch)


def _in_file(
    books: Books, processor: Processor, batch: Batch, record: Record, *, acting: Acting
) -> Iterator[Wrote]:
    """The row of a batch's file that made the record, if one did."""
    try:
        run = undertake(batch, processor, acting=lambda: acting)
        with tempfile.TemporaryDirectory() as folder, open_cells(Path(folder)) as source:
            source.fill(batch, before=batch.next_row, checkpoint=lambda: None)
            for trace in _traces(books, run, source):
                if _is_of(run, trace, record):
                    yield Wrote(batch=batch, outcome=trace.outcome, row=trace.row)
                    return
    except (PortalError, OSError):
        return  # the file is gone, or the table has other columns now: it says nothing any more


def _traces(books: Books, run: Undertaking, source: Source) -> Iterator[Trace]:
    before = run.batch.next_row
    while True:
        with books.read() as session:
            page = traces(session, books.tables, run, source, before=before, limit=AT_ONCE)
        yield from page
        if not page or page[-1].row <= 1:
            return
        before = page[-1].row


def _is_of(run: Undertaking, trace: Trace, record: Record) -> bool:
    """By what names it; where the file does not say that, by all that the row gave it."""
    if trace.key or trace.given is None:
        return False
    named = run.named_by(trace.values)
    if named is not None and run.identity is not None:
        return all(trace.values[name] == record.values.get(name) for name in run.identity)
    return undoing(trace, record).action is Action.REMOVE
