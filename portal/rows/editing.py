"""Failed rows made ready to be done again: edited, one value replaced in all, or skipped.

The cells of the file stay as they are, what was typed stands beside them. Functions that take a
session flush; those that take books work in short transactions of their own, for there may be
very many rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from portal.db import changed
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.rows import ledger
from portal.rows.batch import Batch, Entry, Outcome
from portal.rows.batch_row import entry_of
from portal.rows.books import Books
from portal.rows.schema import LedgerTables
from portal.rows.service import change_idle, get_batch

AT_ONCE = 200
MOST_AT_ONCE = 400
LONGEST_CELL = 1_048_576


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some failed rows in their order; `following` is the row to ask behind, None at the end."""

    entries: tuple[Entry, ...]
    following: int | None


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A row that was typed over; `kept_out` is what was not put over the changes of others."""

    entry: Entry
    kept_out: Mapping[int, str]


def failing(
    session: Session, *, tables: LedgerTables, batch: Batch, after: int = 0, limit: int = 50
) -> Page:
    """The next failed rows behind row `after`; found by an index however many there are."""
    table = tables.row
    found = session.execute(
        select(table)
        .where(
            table.c.batch == batch.number,
            table.c.outcome == str(Outcome.FAILED),
            table.c.first_row > after,
        )
        .order_by(table.c.first_row)
        .limit(limit + 1)
    ).all()
    entries = tuple(entry_of(row) for row in found[:limit])
    return Page(entries=entries, following=entries[-1].first_row if len(found) > limit else None)


def get_entry(session: Session, *, tables: LedgerTables, batch: Batch, row: int) -> Entry:
    """The failed row numbered `row`; raise NotFoundError where that row did not fail."""
    page = failing(session, tables=tables, batch=batch, after=row - 1, limit=1)
    if not page.entries or page.entries[0].first_row != row:
        raise NotFoundError(f"Row {row} is not among those that failed.")
    return page.entries[0]


def edit_cells(
    session: Session, *, tables: LedgerTables, batch_id: str, row: int, cells: Mapping[int, str]
) -> Entry:
    """Type over cells of a failed row, by column from 0; the file's own text takes an edit back.

    Raises NotFoundError, ConflictError (the batch is being worked on) or InvalidError.
    """
    return edit_seen(session, tables=tables, batch_id=batch_id, row=row, cells=cells, seen={}).entry


def edit_seen(
    session: Session,
    *,
    tables: LedgerTables,
    batch_id: str,
    row: int,
    cells: Mapping[int, str],
    seen: Mapping[int, str],
) -> Edited:
    """As `edit_cells`, where the typist saw cells with the marks in `seen`, by column.

    Cells that he left alone stay as they are now. Those that somebody else changed since he saw
    them do too, and are `kept_out`, unless both typed the same.
    """
    batch = _idle(session, tables, batch_id)
    entry = get_entry(session, tables=tables, batch=batch, row=row)
    texts = dict(enumerate(entry.effective(width=batch.width) or ()))
    own = {at: text for at, text in cells.items() if seen.get(at) != mark_of(text)}
    out = {
        at: text for at, text in own.items() if _is_others(texts.get(at, ""), text, seen.get(at))
    }
    taken = {at: text for at, text in own.items() if at not in out}
    _write_edits(session, tables, batch, [(row, _edited(entry, taken, width=batch.width))])
    now = get_entry(session, tables=tables, batch=batch, row=row)
    return Edited(entry=now, kept_out=out)


def mark_of(text: str) -> str:
    """What tells whether a cell is still as somebody saw it; forms send line ends of any kind."""
    return blake2b(_line_ends(text).encode("utf-8", "replace"), digest_size=8).hexdigest()


def replace_value(books: Books, *, batch_id: str, column: int, old: str, new: str) -> int:
    """Put `new` wherever a failed row has `old` in this column; returns in how many rows.

    Raises ConflictError where the batch is being worked on, or comes to be meanwhile.
    """

    def replaced(entry: Entry, batch: Batch) -> dict[str, str] | None:
        cells = entry.effective(width=batch.width) or []
        fits = column < len(cells) and cells[column] == old
        return _edited(entry, {column: new}, width=batch.width) if fits else None

    def write(session: Session, batch: Batch, entries: Sequence[Entry]) -> int:
        edits = [(e.first_row, edits) for e in entries if (edits := replaced(e, batch)) is not None]
        _write_edits(session, books.tables, batch, edits)
        return len(edits)

    return _everywhere(books, batch_id, write)


def skip_rows(
    session: Session, *, tables: LedgerTables, batch_id: str, rows: Sequence[int], reason: str
) -> int:
    """Leave failed rows out for good and say why; returns how many of `rows` had failed."""
    if not reason.strip():
        raise InvalidError("Say why the rows are skipped.")
    if len(rows) > MOST_AT_ONCE:
        raise InvalidError(f"Choose at most {MOST_AT_ONCE} rows at a time, or skip all of them.")
    batch = _idle(session, tables, batch_id)
    return _skip(session, tables, batch, rows, reason)


def skip_all(books: Books, *, batch_id: str, reason: str) -> int:
    """Leave all failed rows out; returns how many."""
    if not reason.strip():
        raise InvalidError("Say why the rows are skipped.")

    def skip(session: Session, batch: Batch, entries: Sequence[Entry]) -> int:
        return _skip(session, books.tables, batch, [e.first_row for e in entries], reason)

    return _everywhere(books, batch_id, skip)


def _everywhere(
    books: Books, batch_id: str, change: Callable[[Session, Batch, Sequence[Entry]], int]
) -> int:
    met, after = 0, 0
    while True:
        with books.write() as session:
            batch = _idle(session, books.tables, batch_id)
            page = failing(session, tables=books.tables, batch=batch, after=after, limit=AT_ONCE)
            met += change(session, batch, page.entries) if page.entries else 0
        if page.following is None:
            return met
        after = page.following


def _idle(session: Session, tables: LedgerTables, batch_id: str) -> Batch:
    """The batch, locked so that nobody begins to work on it before the commit."""
    batch = get_batch(session, batch_id=batch_id, tables=tables)
    return change_idle(session, batch, tables=tables)


def _edited(entry: Entry, cells: Mapping[int, str], *, width: int) -> dict[str, str]:
    if entry.cells is None:
        raise ConflictError("The text of this row is no longer kept.")
    edits = dict(entry.edited)
    for index, text in cells.items():
        if not 0 <= index < width:
            raise InvalidError(f"The file has {width} columns, and none at {index + 1}.")
        _check_text(text)
        edits[str(index)] = text
    cells_as_written = dict(enumerate(entry.cells))
    return {
        at: text
        for at, text in edits.items()
        if not _is_same(text, as_written=cells_as_written.get(int(at)))
    }


def _is_same(text: str, *, as_written: str | None) -> bool:
    """Whether nothing was typed over it; forms send line ends of any kind as one."""
    return as_written is not None and _line_ends(text) == _line_ends(as_written)


def _is_others(text: str, typed: str, seen: str | None) -> bool:
    """Whether a cell with this text was changed by another since it was seen."""
    return seen is not None and mark_of(text) not in (seen, mark_of(typed))


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_text(text: str) -> None:
    if "\0" in text or len(text) > LONGEST_CELL:
        raise InvalidError("The text is too long, or has a character that no file can have.")


def _write_edits(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    edits: Sequence[tuple[int, dict[str, str]]],
) -> None:
    if not edits:
        return
    table = tables.row
    statement = (
        update(table)
        .where(table.c.batch == batch.number, table.c.first_row == bindparam("at"))
        .values(edited=bindparam("typed"))
    )
    session.connection().execute(
        statement, [{"at": row, "typed": cells or None} for row, cells in edits]
    )


def _skip(
    session: Session, tables: LedgerTables, batch: Batch, rows: Sequence[int], reason: str
) -> int:
    skipped = _change(
        session,
        tables,
        batch,
        rows,
        outcome=str(Outcome.SKIPPED),
        skip_reason=reason.strip()[:1000],
    )
    if skipped:
        gains = {Outcome.SKIPPED: skipped, Outcome.FAILED: -skipped}
        ledger.write_batch(session, tables, batch, **ledger.counted(tables, gains))
    return skipped


def _change(
    session: Session, tables: LedgerTables, batch: Batch, rows: Sequence[int], **values: Any
) -> int:
    """Change those of `rows` that failed; returns how many they are."""
    table = tables.row
    statement = (
        update(table)
        .where(
            table.c.batch == batch.number,
            table.c.first_row.in_(rows),
            table.c.outcome == str(Outcome.FAILED),
        )
        .values(**values)
    )
    return changed(session, statement)
