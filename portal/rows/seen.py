"""Which rows of a file were done for which identity, so that no two rows do the same record."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

from sqlalchemy.orm import Session

from portal.rows import ledger
from portal.rows.batch import GOOD, Entry
from portal.rows.fates import Fate, Prepared, failed
from portal.rows.schema import LedgerTables
from portal.rows.source import open_source, portions, prepare, rows_from
from portal.rows.undertaking import Undertaking
from portal.tabular.table import Row

Name: TypeAlias = tuple[object, ...]
AT_ONCE = 1_000
CACHE_KB = 16_384


class Seen:
    """Identities and the rows that had them, on disk: memory stays flat however many there are.

    It belongs to one attempt and is built anew by the next, so it need not survive anything.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TABLE seen (name TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID")

    def row_of(self, name: Name) -> int | None:
        """The row that had this identity, None where none had."""
        query = "SELECT row FROM seen WHERE name = ?"
        found = self._connection.execute(query, (_text(name),)).fetchone()
        return None if found is None else int(found[0])

    def rows_of(self, names: Sequence[Name]) -> dict[Name, int]:
        """For those of `names` that some row had, that row."""
        asked = {_text(name): name for name in names}
        found: dict[Name, int] = {}
        texts = list(asked)
        for start in range(0, len(texts), AT_ONCE):
            part = texts[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT name, row FROM seen WHERE name IN ({marks})"  # noqa: S608 (only marks)
            found.update((asked[text], row) for text, row in self._connection.execute(query, part))
        return found

    def add(self, rows: Iterable[tuple[Name, int]]) -> None:
        """Remember rows that were done."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO seen VALUES (?, ?)", ((_text(name), row) for name, row in rows)
        )


@contextmanager
def open_seen(folder: Path) -> Iterator[Seen]:
    """An empty memory of identities in `folder`, removed at the end."""
    path = folder / "seen.sqlite"
    path.unlink(missing_ok=True)
    with closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KB}"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        yield Seen(connection)
    path.unlink(missing_ok=True)


def same_as(run: Undertaking, other: int) -> Fate:
    """The fate of a row that names what row `other` named before."""
    names = run.identity or ()
    text = f"Row {other} of this file has the same {' and '.join(names)}."
    return failed(text, field=names[0] if len(names) == 1 else "")


def remember(
    session: Session,
    tables: LedgerTables,
    run: Undertaking,
    seen: Seen,
    *,
    before: int,
    checkpoint: Callable[[], None],
) -> None:
    """Tell `seen` all rows before row `before` that were done, from the file and the ledger."""
    good = tables.row.c.outcome.in_([str(outcome) for outcome in GOOD])
    fates = ledger.entries(session, tables, run.batch, good, tables.row.c.first_row < before)
    with open_source(run.batch.order) as table:
        rows = rows_from(table, 1)
        for portion in portions(_done_rows(fates, rows, width=run.batch.width), size=AT_ONCE):
            checkpoint()
            seen.add(_named(run, prepare(portion, run.conversion)))


def _done_rows(fates: Iterator[Entry], rows: Iterator[Row], *, width: int) -> Iterator[Row]:
    for fate in fates:
        for number, line, cells in rows:
            if number >= fate.first_row:
                yield number, line, fate.effective(width=width) or cells
            if number >= fate.last_row:
                break


def _named(run: Undertaking, rows: Iterable[Prepared]) -> Iterator[tuple[Name, int]]:
    for row in rows:
        name = None if row.values is None else run.named_by(row.values)
        if name is not None:
            yield name, row.number


def _text(name: Name) -> str:
    return str(name[0]) if len(name) == 1 else "\x1f".join(map(str, name))
