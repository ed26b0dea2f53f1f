"""Whether a table is still as it was when a plan was made: what drifted, row by row. Pure.

A plan is the ledger of a dry run. The same file is tried out again, and what each row would do now
is held against what it would have done then: its outcome, and the record that it met.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from portal.errors import ConflictError
from portal.imports.words import KIND
from portal.rows.batch import Batch, BatchState, Entry, Outcome

MOST = 50
RECHECK = "recheck"  # the reason of a dry run that only looks whether a plan still holds
DRIFTED = "The table is no longer as it was when the plan was made; nothing was imported"
_WORDS = {
    Outcome.CREATED: "insert",
    Outcome.UPDATED: "update",
    Outcome.UNCHANGED: "leave unchanged",
    Outcome.REMOVED: "delete",
    Outcome.SKIPPED: "skip",
    Outcome.FAILED: "refuse",
    Outcome.BLANK: "pass over",
}
_MET = frozenset({Outcome.UPDATED, Outcome.REMOVED})


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Rows `first_row` to `last_row` would do something else now than was planned."""

    first_row: int
    last_row: int
    planned: Outcome | None
    found: Outcome | None

    def __str__(self) -> str:
        """The rows and what is different, in one line."""
        rows = f"{self.first_row}"
        if self.last_row > self.first_row:
            rows += f"-{self.last_row}"
        if self.planned is self.found:
            return f"{rows}: the row of the table was changed since"
        return f"{rows}: planned to {_word(self.planned)}, now to {_word(self.found)}"


def check_plan(batch: Batch) -> None:
    """Raise ConflictError where the batch is no plan that could be applied."""
    if batch.order.kind != KIND or not batch.order.dry_run or batch.order.reason == RECHECK:
        raise ConflictError("Only the dry run of an import is a plan that can be applied.")
    if batch.state is not BatchState.DONE:
        raise ConflictError("The plan is not finished yet.")
    if batch.forgotten_at is not None:
        raise ConflictError("The plan is no longer kept; make a new one.")


def drifts(planned: Iterable[Entry], found: Iterable[Entry]) -> Iterator[Drift]:
    """Where two ledgers of the same file, in the order of rows, tell different things."""
    old, new = iter(planned), iter(found)
    left, right = next(old, None), next(new, None)
    row = 1
    while left is not None or right is not None:
        ends = [one.last_row for one in (left, right) if one is not None and one.first_row <= row]
        begins = [one.first_row for one in (left, right) if one is not None and one.first_row > row]
        last = min(ends + [begin - 1 for begin in begins])
        before, now = _at(left, row), _at(right, row)
        if not _same(before, now):
            yield Drift(
                first_row=row,
                last_row=last,
                planned=None if before is None else before.outcome,
                found=None if now is None else now.outcome,
            )
        row = last + 1
        left = next(old, None) if left is not None and left.last_row < row else left
        right = next(new, None) if right is not None and right.last_row < row else right


def drift_text(found: Iterable[Drift], *, most: int = MOST) -> str:
    """What drifted, at most so many lines and how many rows in all; empty where nothing did."""
    rest = iter(found)
    shown = list(islice(rest, most))
    if not shown:
        return ""
    more = sum(drift.last_row - drift.first_row + 1 for drift in rest)
    lines = [DRIFTED, *(f"    {drift}" for drift in shown)]
    return "\n".join([*lines, f"    … and {more:,} more rows"] if more else lines)


def _at(entry: Entry | None, row: int) -> Entry | None:
    return entry if entry is not None and entry.first_row <= row else None


def _same(planned: Entry | None, found: Entry | None) -> bool:
    if planned is None or found is None:
        return planned is found
    if planned.outcome is not found.outcome:
        return False
    if planned.outcome not in _MET:
        return True
    return (planned.record_key, planned.before) == (found.record_key, found.before)


def _word(outcome: Outcome | None) -> str:
    return "say nothing of" if outcome is None else _WORDS[outcome]
