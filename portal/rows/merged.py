"""What became of a portion of rows that changed or made records, and how the ledger is told.

Rows that changed a record, and those that made one or found it as they say, are told column by
column; all others as ever.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.rows import ledger
from portal.rows.batch import Batch, Outcome
from portal.rows.changes import Changes
from portal.rows.fates import BLANK, CREATED, UNCHANGED, Fate, entries_of
from portal.rows.kept_rows import KeptRows
from portal.rows.ledger_columns import Lines, add_lines
from portal.rows.schema import LedgerTables

CHANGED = Fate(outcome=Outcome.UPDATED)  # what it was before stands among the changes
_RANGES = (CREATED, UNCHANGED, BLANK)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The fate of each row of a portion; `changed` tells of those that changed a record."""

    rows: KeptRows
    fates: Sequence[Fate]
    changed: Lines | None = None

    @property
    def gains(self) -> Counter[Outcome]:
        """How many rows have which outcome."""
        return Counter([fate.outcome for fate in self.fates])

    @property
    def failing(self) -> Mapping[int, Fate]:
        """The fates of the rows that failed, by place and in order."""
        found = enumerate(self.fates)
        return {place: fate for place, fate in found if fate.outcome is Outcome.FAILED}

    def write(self, session: Session, tables: LedgerTables, batch: Batch) -> None:
        """Tell the ledger."""
        codes = bytes([_CODES.get(id(fate), 0) for fate in self.fates])
        for fate in _RANGES:
            self._write_ranges(session, tables, batch, fate, _runs(codes, _CODES[id(fate)]))
        if self.changed is not None:
            add_lines(session, tables.row, self.changed)
        for first, end in _runs(codes, 0):
            rows = list(self.rows.whole(range(first, end)))
            fates = self.fates[first:end]
            entries = entries_of(rows, fates, batch=batch.number, attempt=batch.attempt)
            ledger.add_entries(session, tables, entries)

    def _write_ranges(
        self,
        session: Session,
        tables: LedgerTables,
        batch: Batch,
        fate: Fate,
        runs: Sequence[tuple[int, int]],
    ) -> None:
        columns = _placed(self.rows, [first for first, _ in runs])
        columns["last_row"] = self.rows.numbers([end - 1 for _, end in runs])
        same = _same(batch, fate.outcome) | {"record_key": ""}
        add_lines(session, tables.row, Lines(columns=columns, same=same))


def lines_of(rows: KeptRows, places: Sequence[int], changes: Changes, *, batch: Batch) -> Lines:
    """What the ledger is told of the rows at `places`, which changed records."""
    columns = _placed(rows, places)
    columns["last_row"] = columns["first_row"]
    columns |= {"record_key": changes.keys, "before": changes.before, "after": changes.after}
    columns["after_hash"] = changes.hashes
    return Lines(columns=columns, same=_same(batch, Outcome.UPDATED))


def _placed(rows: KeptRows, places: Sequence[int]) -> dict[str, Sequence[object]]:
    return {
        "first_row": rows.numbers(places),
        "line": rows.lines(places),
    }


def _same(batch: Batch, outcome: Outcome) -> dict[str, int | str]:
    told = {"batch": batch.number, "attempt": batch.attempt}
    return told | {"outcome": str(outcome), "skip_reason": ""}


def _runs(codes: bytes, code: int) -> list[tuple[int, int]]:
    """The place of the first of neighbours that all have this code, and that behind the last."""
    return [run.span() for run in re.finditer(re.escape(bytes([code])) + b"+", codes)]


_CODES = {id(fate): code for code, fate in enumerate((*_RANGES, CHANGED), start=1)}
