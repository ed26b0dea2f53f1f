"""What is to be done so that a row's effect, which was undone, is there again. Pure."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from portal.rows.batch import Entry, Outcome
from portal.rows.deciding import Action
from portal.rows.fates import Fate
from portal.rows.images import SHORT_BYTES, hash_of, values_of
from portal.rows.processors import Record
from portal.rows.undoing import BACK, GONE, OTHER, Deed
from portal.tabular.fields import Values

CHANGED = "It was changed after the undo."
LEFT = "Not done again. {reason}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A row whose effect was undone: its `entry`, the `values` that name its record.

    Of a record that it created, `given` are the values to make it of; None where the row no longer
    fits, and `errors` says why.
    """

    row: int
    entry: Entry
    values: Values
    given: Values | None = None
    errors: str = ""

    @property
    def ranged(self) -> bool:
        """Whether the ledger tells of it as one of many."""
        return self.entry.first_row < self.entry.last_row

    @property
    def fate(self) -> Fate:
        """What the ledger says that became of the row."""
        entry = self.entry
        if self.ranged or (entry.outcome is Outcome.CREATED and not entry.record_key):
            return Fate(outcome=entry.outcome, short=self._short(), alone=False)
        before = values_of(entry.before) if entry.before is not None else None
        return Fate(
            outcome=entry.outcome,
            record=None if before is None else Record(key=entry.record_key, values=before),
            key=entry.record_key,
            after=None if entry.after is None else values_of(entry.after),
            after_hash=entry.after_hash,
        )

    def _short(self) -> bytes | None:
        if self.entry.after_hash is None:
            return None
        at = (self.row - self.entry.first_row) * SHORT_BYTES
        return zlib.decompress(self.entry.after_hash)[at : at + SHORT_BYTES]


def redoing(step: Step, record: Record | None) -> Deed:
    """How to do `step` again, where `record` is what has its identity now."""
    entry = step.entry
    if entry.outcome is Outcome.CREATED:
        return _created(step, record)
    if record is None:
        return _leave(GONE, None)
    if hash_of(values_of(entry.before or {})) != hash_of(record.values):
        return _leave(CHANGED, record)
    if entry.outcome is Outcome.REMOVED:  # it may have another key since it was brought back
        return Deed(action=Action.REMOVE, record=record)
    if record.key != entry.record_key:
        return _leave(OTHER, record)
    return Deed(action=Action.UPDATE, record=record, values=values_of(entry.after or {}))


def left(reason: str) -> Fate:
    """The fate of a row that is not done again."""
    return Fate(outcome=Outcome.SKIPPED, skip_reason=LEFT.format(reason=reason))


def with_key(values: Values, after: Mapping[str, object] | None) -> Values:
    """The values of a new record, with the key that the database gave it when it was new first."""
    return values | values_of(after or {})


def _created(step: Step, record: Record | None) -> Deed:
    if step.given is None:
        return _leave(f"Its row no longer fits: {step.errors}", None)
    if record is not None:
        return _leave(BACK, record)
    return Deed(action=Action.CREATE, values=step.given)


def _leave(reason: str, record: Record | None) -> Deed:
    return Deed(action=Action.REFUSE, record=record, reason=reason)
