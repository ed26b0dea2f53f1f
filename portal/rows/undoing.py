"""What is to be done so that a row's effect never was. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.rows.batch import Outcome
from portal.rows.deciding import Action
from portal.rows.images import hash_of, short_hash, values_of
from portal.rows.processors import Record
from portal.tabular.fields import Values

CHANGED = "It was changed after the batch."
OTHER = "Another entry has its identity now."
GONE = "It is not there any more."
BACK = "There is an entry with its identity again."


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What the ledger knows of one row's effect, and the `values` that name its record.

    A record that was created as one of very many has no `key`: then `given` are the values that
    its row gave it, and `short` is the hash of the others (None: there are none).
    """

    row: int
    outcome: Outcome
    values: Values
    key: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    after_hash: bytes | None = None
    given: Values | None = None
    short: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Deed:
    """An action that undoes a row, or the reason why its record is kept."""

    action: Action
    record: Record | None = None
    values: Values | None = None
    reason: str = ""


def undoing(trace: Trace, record: Record | None) -> Deed:
    """How to undo what `trace` tells, where `record` is what has its identity now."""
    if trace.outcome is Outcome.REMOVED:
        return _brought_back(trace, record)
    if record is None:
        gone = trace.outcome is Outcome.CREATED
        return Deed(action=Action.NOTHING) if gone else _keep(GONE, None)
    if trace.key and record.key != trace.key:
        return _keep(OTHER, record)
    if not _is_as_left(trace, record):
        return _keep(CHANGED, record)
    if trace.outcome is Outcome.CREATED:
        return Deed(action=Action.REMOVE, record=record)
    before = values_of(trace.before or {})
    return Deed(
        action=Action.UPDATE,
        record=record,
        values={name: before.get(name) for name in trace.after or ()},
    )


def _brought_back(trace: Trace, record: Record | None) -> Deed:
    if record is not None:
        return _keep(BACK, record)
    return Deed(action=Action.CREATE, values=values_of(trace.before or {}))


def _is_as_left(trace: Trace, record: Record) -> bool:
    if trace.given is None:
        return hash_of(record.values) == trace.after_hash
    given, values = trace.given, record.values
    if any(values.get(name) != value for name, value in given.items()):
        return False
    others = [name for name in values if name not in given]
    return trace.short is None or short_hash(values, others) == trace.short


def _keep(reason: str, record: Record | None) -> Deed:
    return Deed(action=Action.REFUSE, record=record, reason=reason)
