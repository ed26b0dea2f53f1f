"""What a batch did, row by row from its last one backwards, with what is needed to undo it."""

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from portal.rows import ledger
from portal.rows.batch import EFFECTS, Batch, Entry, Outcome
from portal.rows.images import SHORT_BYTES, values_of
from portal.rows.schema import LedgerTables
from portal.rows.source import open_source, portions, prepare
from portal.rows.undertaking import Undertaking
from portal.rows.undoing import Trace
from portal.tabular.fields import Values

PAGE = 200
AT_ONCE = 1_000


class Source:
    """Cells of the file by the number of their row, on disk: a file can only be read forwards."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TABLE cells (row INTEGER PRIMARY KEY, cells TEXT)")

    def fill(self, batch: Batch, *, before: int, checkpoint: Callable[[], None]) -> None:
        """Take over the rows before row `before`."""
        with open_source(batch.order) as table:
            rows = islice(table.rows, before - 1)
            for portion in portions(rows, size=AT_ONCE):
                checkpoint()
                self._connection.executemany(
                    "INSERT INTO cells VALUES (?, ?)",
                    ((number, json.dumps(cells)) for number, _, cells in portion),
                )

    def cells(self, first: int, last: int) -> dict[int, list[str]]:
        """The cells of the rows `first` to `last`."""
        query = "SELECT row, cells FROM cells WHERE row BETWEEN ? AND ?"
        found = self._connection.execute(query, (first, last))
        return {row: json.loads(cells) for row, cells in found}


@contextmanager
def open_cells(folder: Path) -> Iterator[Source]:
    """An empty store of cells in `folder`, removed at the end."""
    path = folder / "cells.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        yield Source(connection)
    path.unlink(missing_ok=True)


def has_ranges(session: Session, tables: LedgerTables, batch: Batch) -> bool:
    """Whether the source is needed to find records that the batch created."""
    table = tables.row
    ranged = (table.c.outcome == str(Outcome.CREATED)) & (table.c.record_key == "")
    return next(ledger.entries(session, tables, batch, ranged), None) is not None


def traces(
    session: Session,
    tables: LedgerTables,
    run: Undertaking,
    source: Source,
    *,
    before: int,
    limit: int,
) -> list[Trace]:
    """The last `limit` effects on rows before row `before`, last first."""
    page = ledger.entries_before(
        session, tables, run.batch, EFFECTS, before=before, limit=min(limit, PAGE)
    )
    found: list[Trace] = []
    for entry in page:
        last = min(entry.last_row, before - 1)
        first = max(entry.first_row, last - (limit - len(found)) + 1)
        found += _of_entry(run, source, entry, first, last)
        if len(found) >= limit:
            break
    return found


def _of_entry(
    run: Undertaking, source: Source, entry: Entry, first: int, last: int
) -> Sequence[Trace]:
    if entry.outcome is not Outcome.CREATED:
        return [_trace(entry, run.naming(values_of(entry.before or {})))]
    if entry.record_key:
        return [_trace(entry, values_of(entry.after or {}))]
    cells = source.cells(first, last)
    typed = entry.effective(width=run.batch.width)
    if typed is not None:
        cells = {entry.first_row: typed}
    return list(reversed(_of_range(run, entry, cells)))


def _of_range(run: Undertaking, entry: Entry, cells: Mapping[int, list[str]]) -> list[Trace]:
    rows = prepare([(row, 0, cells[row]) for row in sorted(cells)], run.conversion)
    shorts = None if entry.after_hash is None else zlib.decompress(entry.after_hash)
    return [
        Trace(
            row=row.number,
            outcome=entry.outcome,
            values=row.values,
            given=row.values,
            short=_short(shorts, row.number - entry.first_row),
        )
        for row in rows
        if row.values is not None
    ]


def _short(shorts: bytes | None, index: int) -> bytes | None:
    return None if shorts is None else shorts[index * SHORT_BYTES : (index + 1) * SHORT_BYTES]


def _trace(entry: Entry, values: Values) -> Trace:
    return Trace(
        row=entry.first_row,
        outcome=entry.outcome,
        values=values,
        key=entry.record_key,
        before=entry.before,
        after=entry.after,
        after_hash=entry.after_hash,
    )
