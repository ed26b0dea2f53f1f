"""Doing failed rows again with the edits made to them: a new attempt of the same batch."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from portal.rows import ledger
from portal.rows.batch import Batch, Entry, Outcome
from portal.rows.chunk import Hands, hands_for, kept
from portal.rows.desk import Desk
from portal.rows.fates import Fate, Prepared, columns_of, gains_of
from portal.rows.processors import Mode
from portal.rows.schema import LedgerTables
from portal.rows.seen import open_seen
from portal.rows.source import prepare
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking

AGAIN = "Retrying failed rows"
NEW = "new_"


def do_again(desk: Desk, run: Undertaking, suspects: Suspects) -> None:
    """Do the failed rows again that were asked for, from `retry_next` on."""
    asked = len(desk.batch.retry_rows or ()) or desk.batch.counts.failed
    done = 0
    # A second creation or removal is seen by looking; only a second update would go unnoticed.
    before = desk.batch.next_row if run.mode in (Mode.UPDATE, Mode.UPSERT) else 1
    with open_seen(desk.work.folder) as seen:
        hands = hands_for(desk, run, seen, suspects, before=before)
        while page := _page(desk):
            while waiting := page[: desk.books.pace.rows]:
                desk.between(AGAIN, done=done, total=max(asked, done))
                count = _do_chunk(desk, run, hands, waiting)
                del page[:count]
                done += count
    desk.mark(retry_rows=None, retry_next=1)


def settle(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    rows: Sequence[Prepared],
    fates: Sequence[Fate],
) -> None:
    """Give the entries of `rows` their new fates; the cells of the file and the edits stay."""
    table = tables.row
    values = [_new_values(batch, row, fate) for row, fate in zip(rows, fates, strict=True)]
    names = [name.removeprefix(NEW) for name in values[0] if name.startswith(NEW)]
    statement = (
        update(table)
        .where(table.c.batch == batch.number, table.c.first_row == bindparam("at"))
        .values({name: bindparam(NEW + name) for name in names})
    )
    session.connection().execute(statement, values)


def _page(desk: Desk) -> list[Entry]:
    """The next failed rows that are to be done again, as many as are read at a time.

    They stay as they are until they are done: while a batch is at work nobody edits its rows.
    """
    batch, table = desk.batch, desk.books.tables.row
    most = max(desk.books.pace.rows, ledger.PAGE)
    wanted = [table.c.outcome == str(Outcome.FAILED)]
    if batch.retry_rows:
        chosen = sorted(row for row in batch.retry_rows if row >= batch.retry_next)[:most]
        wanted.append(table.c.first_row.in_(chosen))
    with desk.books.read() as session:
        after = batch.retry_next - 1
        found = ledger.entries(session, desk.books.tables, batch, *wanted, after=after)
        return list(islice(found, most))


def _do_chunk(desk: Desk, run: Undertaking, hands: Hands, entries: Sequence[Entry]) -> int:
    tables, width = desk.books.tables, desk.batch.width
    numbered = [(e.first_row, e.line or 0, e.effective(width=width) or []) for e in entries]
    rows = prepare(numbered, run.conversion)
    with desk.chunk() as session:
        fates = hands.do(session, rows)
        done = rows[: len(fates)]
        settle(session, tables, desk.batch, done, fates)
        gains = gains_of(fates)
        gains[Outcome.FAILED] -= len(done)
        noted = desk.note(
            session,
            retry_next=done[-1].number + 1,
            **ledger.counted(tables, gains),
            **kept(run, desk.batch, fates),
        )
    desk.batch = noted
    return len(done)


def _new_values(batch: Batch, row: Prepared, fate: Fate) -> dict[str, Any]:
    """The parameters of an UPDATE: SQLAlchemy wants other names for them than the columns'."""
    columns = columns_of(row, fate) | {"attempt": batch.attempt}
    new = {NEW + name: value for name, value in columns.items() if name != "cells"}
    return new | {"at": row.number}
