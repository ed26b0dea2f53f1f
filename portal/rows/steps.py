"""What a batch did, row by row from its first one, with what is needed to do it again."""

from collections.abc import Iterator, Mapping
from itertools import islice

from sqlalchemy.orm import Session

from portal.rows import ledger
from portal.rows.batch import EFFECTS, Entry, Outcome
from portal.rows.images import values_of
from portal.rows.redoing import Step, with_key
from portal.rows.schema import LedgerTables
from portal.rows.source import prepare
from portal.rows.traces import PAGE, Source
from portal.rows.undertaking import Undertaking


def steps(
    session: Session,
    tables: LedgerTables,
    run: Undertaking,
    source: Source,
    *,
    first: int,
    limit: int,
) -> list[Step]:
    """The next `limit` effects on rows from row `first` on; no range begins before that row."""
    effects = tables.row.c.outcome.in_([str(one) for one in EFFECTS])
    found: list[Step] = []
    entries = ledger.entries(session, tables, run.batch, effects, after=first - 1)
    for entry in islice(entries, PAGE):
        end = min(entry.last_row, entry.first_row + limit - len(found) - 1)
        found += _of_entry(run, source, entry, entry.first_row, end)
        if len(found) >= limit:
            break
    return found


def _of_entry(
    run: Undertaking, source: Source, entry: Entry, first: int, last: int
) -> Iterator[Step]:
    if entry.outcome is not Outcome.CREATED:
        yield Step(row=first, entry=entry, values=run.naming(values_of(entry.before or {})))
        return
    typed = entry.effective(width=run.batch.width)
    cells: Mapping[int, list[str]] = (
        source.cells(first, last) if typed is None else {entry.first_row: typed}
    )
    for row in prepare([(number, 0, cells[number]) for number in sorted(cells)], run.conversion):
        if row.values is None:
            told = "; ".join(text for texts in (row.errors or {}).values() for text in texts)
            values = values_of(entry.after or {})
            yield Step(row=row.number, entry=entry, values=values, errors=told)
        else:
            given = with_key(row.values, entry.after)
            yield Step(row=row.number, entry=entry, values=given, given=given)
