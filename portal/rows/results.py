"""The files that a batch leaves: finished rows, pending rows with their errors, what was kept.

They are streamed from the stored source and the ledger, in the columns, order, encoding,
delimiter and line ends of the source; a spreadsheet's rows become CSV.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import InvalidError
from portal.files import written_aside
from portal.rows import ledger
from portal.rows.batch import GOOD, Batch, Entry, Outcome
from portal.rows.schema import LedgerTables
from portal.rows.source import open_source, portions
from portal.tabular.conversion import error_line
from portal.tabular.formats import Format
from portal.tabular.table import Row
from portal.tabular.writing import TableWriter

ERRORS = "--ERRORS--"
RAGGED = "Row has "
AT_ONCE = 500
KEPT_HEADER = ("row", "entry", "reason")


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was written; None where there are no such rows."""

    finished: Path | None
    pending: Path | None


@dataclass(frozen=True, kw_only=True)
class Told:
    """A row of the source with its fate; without `outcome` it was never processed."""

    cells: Sequence[str]
    outcome: Outcome | None
    attempt: int
    errors: Mapping[str, Sequence[str]]


def write_results(
    session: Session,
    *,
    tables: LedgerTables,
    batch: Batch,
    finished: Path,
    pending: Path,
    checkpoint: Callable[[], None],
    since: int = 1,
) -> Results:
    """Write the good rows to `finished`, and those that failed or were never done to `pending`.

    Rows that were good before the attempt `since` are not written again. Skipped and blank rows
    are in neither. Each file is fsynced and stands there whole or not at all; a file without rows
    is not made. `session` is that of the batch's ledger.
    """
    counts = batch.counts
    good = _has_good(session, tables, batch, since=since)
    bad = counts.failed or counts.unprocessed != 0  # not known: nobody came to count them
    with ExitStack() as files:
        good_stream = files.enter_context(written_aside(finished)) if good else None
        bad_stream = files.enter_context(written_aside(pending)) if bad else None
        _write(session, tables, batch, good_stream, bad_stream, checkpoint, since=since)
    return Results(finished=finished if good else None, pending=pending if bad else None)


def write_failed(
    session: Session, stream: IO[bytes], *, tables: LedgerTables, batch: Batch
) -> None:
    """Write the rows that failed to `stream`, as edited, with their errors in the last column.

    The file is for spreadsheets: what one would compute is marked, and restored when it comes back.
    """
    with open_source(batch.order) as table:
        header = table.header
    fmt = written_as(session, tables=tables, batch=batch)
    writer = TableWriter(stream, fmt, for_spreadsheets=True)
    writer.write(_pending_header(header))
    failed = tables.row.c.outcome == str(Outcome.FAILED)
    fates = ledger.entries(session, tables, batch, failed)
    told = (_told(entry.cells or [], entry, width=batch.width) for entry in fates)
    writer.write_many(_pending_row(header, row, fmt) for row in told)


def write_kept(session: Session, stream: IO[bytes], *, tables: LedgerTables, batch: Batch) -> None:
    """Write what an undo had to keep: the row, the key of its record, and why it was kept.

    The file is for spreadsheets, too.
    """
    writer = TableWriter(stream, Format(), for_spreadsheets=True)
    writer.write(KEPT_HEADER)
    kept = kept_rows(session, tables=tables, batch=batch)
    writer.write_many((str(item.row), item.key, item.reason) for item in kept)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A row whose effect was not undone."""

    row: int
    key: str
    reason: str


def kept_rows(
    session: Session, *, tables: LedgerTables, batch: Batch, after: int = 0
) -> Iterator[Kept]:
    """What an undo had to keep, in the order of rows, read a page at a time."""
    table = tables.kept
    while True:
        page = session.execute(
            select(table.c.row_number, table.c.record_key, table.c.reason)
            .where(table.c.batch == batch.number, table.c.row_number > after)
            .order_by(table.c.row_number)
            .limit(AT_ONCE)
        ).all()
        yield from (Kept(row=number, key=key, reason=reason) for number, key, reason in page)
        if len(page) < AT_ONCE:
            return
        after = page[-1].row_number


def written_as(session: Session, *, tables: LedgerTables, batch: Batch) -> Format:
    """The format of the files of a batch: the source's.

    It is UTF-8 as CSV where the source was a spreadsheet, or was edited in a way that its own
    format cannot tell.
    """
    fmt = batch.order.format
    if fmt.kind != "csv":
        return Format()
    typed = (tables.row.c.outcome != str(Outcome.SKIPPED)) & tables.row.c.edited.is_not(None)
    writer = TableWriter(io.BytesIO(), fmt)
    try:
        for entry in ledger.entries(session, tables, batch, typed):
            writer.write(list(entry.edited.values()))
    except InvalidError:
        return Format(encoding="utf-8-sig", line_end=fmt.line_end)
    return fmt


def _write(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    good: IO[bytes] | None,
    bad: IO[bytes] | None,
    checkpoint: Callable[[], None],
    *,
    since: int,
) -> None:
    fmt = written_as(session, tables=tables, batch=batch)
    finished = None if good is None else TableWriter(good, fmt)
    pending = None if bad is None else TableWriter(bad, fmt)
    with open_source(batch.order) as table:
        header = table.header
        if finished is not None:
            finished.write(_without_errors(header, header))
        if pending is not None:
            pending.write(_pending_header(header))
        fates = ledger.entries(session, tables, batch)
        for portion in portions(_tell(table.rows, fates, width=batch.width), size=AT_ONCE):
            checkpoint()
            if finished is not None:
                rows = (row for row in portion if row.outcome in GOOD and row.attempt >= since)
                finished.write_many(_without_errors(header, row.cells) for row in rows)
            if pending is not None:
                left = (row for row in portion if row.outcome in (None, Outcome.FAILED))
                pending.write_many(_pending_row(header, row, fmt) for row in left)


def _tell(rows: Iterator[Row], fates: Iterator[Entry], *, width: int) -> Iterator[Told]:
    """Every row of the source with its fate, both in the order of rows."""
    for fate in fates:
        for number, _, cells in rows:
            yield _told(cells, fate, width=width)
            if number >= fate.last_row:
                break
    yield from (Told(cells=cells, outcome=None, attempt=0, errors={}) for _, _, cells in rows)


def _told(cells: Sequence[str], fate: Entry, *, width: int) -> Told:
    typed = fate.effective(width=width)
    return Told(
        cells=cells if typed is None else typed,
        outcome=fate.outcome,
        attempt=fate.attempt,
        errors=fate.errors,
    )


def _has_good(session: Session, tables: LedgerTables, batch: Batch, *, since: int) -> bool:
    table = tables.row
    found = select(table.c.first_row).where(
        table.c.batch == batch.number,
        table.c.outcome.in_([str(outcome) for outcome in GOOD]),
        table.c.attempt >= since,
    )
    return session.execute(found.limit(1)).first() is not None


def _pending_header(header: Sequence[str]) -> list[str]:
    return [*_without_errors(header, header), ERRORS]


def _pending_row(header: Sequence[str], row: Told, fmt: Format) -> list[str]:
    return [*_without_errors(header, row.cells), _fitting(error_line(row.errors), fmt)]


def _fitting(text: str, fmt: Format) -> str:
    """A text of ours as a file in `fmt` can hold it, whatever it has to leave out."""
    known = text.encode(fmt.encoding, "replace").decode(fmt.encoding)
    if fmt.quote:
        return known
    return " ".join(known.replace(fmt.delimiter, " ").split())


def _without_errors(header: Sequence[str], cells: Sequence[str]) -> list[str]:
    """`cells` without those in columns of errors, which an earlier batch wrote.

    A row that has more or fewer cells than the header has its error last, under whatever column.
    """
    if ERRORS not in header:
        return list(cells)
    if len(cells) == len(header):
        return [cell for name, cell in zip(header, cells, strict=True) if name != ERRORS]
    if cells and cells[-1].startswith(RAGGED):
        return list(cells[:-1])
    return list(cells)
