"""What the ledger tells of rows, told anew: single entries in their place, ranges in parts."""

import zlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from portal.rows.batch import Batch, Entry, Outcome
from portal.rows.fates import Fate, Prepared, columns_of, entries_of
from portal.rows.images import SHORT_BYTES
from portal.rows.redoing import Step
from portal.rows.schema import LedgerTables

_KEPT = ("cells",)  # what a row that was repaired is made of


def rewrite(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    seen: Sequence[Step],
    fates: Mapping[int, Fate],
) -> None:
    """Tell of the rows of `seen` what `fates` says; a row that it does not name is as it was."""
    for _, group in groupby(seen, key=lambda step: step.entry.first_row):
        part = list(group)
        if part[0].ranged:
            _split(session, tables, batch, part, fates)
        elif part[0].row in fates and not _told(part[0].entry, fates[part[0].row]):
            _replace(session, tables, batch, part[0], fates[part[0].row])


def _told(entry: Entry, fate: Fate) -> bool:
    """Whether the entry tells this fate already: what it was to do was done just so again."""
    if fate.outcome is not entry.outcome:
        return False
    same = fate.key == entry.record_key and fate.after_hash == entry.after_hash
    return entry.outcome is Outcome.REMOVED or (entry.outcome is Outcome.UPDATED and same)


def _replace(session: Session, tables: LedgerTables, batch: Batch, step: Step, fate: Fate) -> None:
    table = tables.row
    columns = columns_of(_row(step), fate) | {"skip_reason": fate.skip_reason}
    new = {name: value for name, value in columns.items() if name not in _KEPT}
    its = (table.c.batch == batch.number) & (table.c.first_row == step.row)
    session.execute(update(table).where(its).values(**new))


def _split(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    part: Sequence[Step],
    fates: Mapping[int, Fate],
) -> None:
    """Write the rows of `part` as entries of their own, and let the range begin behind them."""
    table, entry = tables.row, part[0].entry
    its = (table.c.batch == batch.number) & (table.c.first_row == entry.first_row)
    session.execute(delete(table).where(its))
    told = [fates.get(step.row) or step.fate for step in part]
    new = entries_of([_row(step) for step in part], told, batch=batch.number, attempt=entry.attempt)
    new += _rest(batch, entry, part[-1].row)
    session.execute(insert(table), [_whole(tables, one) for one in new])


def _rest(batch: Batch, entry: Entry, last: int) -> list[dict[str, Any]]:
    """The rows of a range behind row `last`, as they were told."""
    if last == entry.last_row:
        return []
    shorts = None
    if entry.after_hash is not None:
        start = (last - entry.first_row + 1) * SHORT_BYTES
        shorts = zlib.compress(zlib.decompress(entry.after_hash)[start:])
    return [
        {
            "batch": batch.number,
            "first_row": last + 1,
            "last_row": entry.last_row,
            "outcome": str(entry.outcome),
            "attempt": entry.attempt,
            "after_hash": shorts,
        }
    ]


def _whole(tables: LedgerTables, told: dict[str, Any]) -> dict[str, Any]:
    """Every column of an entry; what is not told is empty."""
    empty: dict[str, Any] = dict.fromkeys((column.name for column in tables.row.columns), None)
    return empty | {"record_key": "", "skip_reason": ""} | told


def _row(step: Step) -> Prepared:
    return Prepared(step.row, 0, (), None, None)
