"""What is to be done for a row, once the record that it names was looked for. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from portal.rows.processors import Mode, Record
from portal.rows.refusals import EXISTS, NO_REMOVE, NO_UPDATE
from portal.tabular.fields import Values


class Action(StrEnum):
    """What is done for a row."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    NOTHING = "nothing"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """An action, with the `changes` of an update or the `text` of a refusal.

    `missing` are fields without which a record cannot be made.
    """

    action: Action
    changes: Values | None = None
    text: str = ""
    missing: tuple[str, ...] = ()


_CREATE = Decision(action=Action.CREATE)
_REMOVE = Decision(action=Action.REMOVE)
_NOTHING = Decision(action=Action.NOTHING)
_EXISTS = Decision(action=Action.REFUSE, text=EXISTS)
_NO_UPDATE = Decision(action=Action.REFUSE, text=NO_UPDATE)
_NO_REMOVE = Decision(action=Action.REFUSE, text=NO_REMOVE)


def decide(
    mode: Mode,
    record: Record | None,
    values: Values,
    *,
    identity: tuple[str, ...],
    needed: tuple[str, ...] = (),
) -> Decision:
    """What `mode` does with a row of `values` that names `record` by its `identity` fields.

    Without the `needed` fields an upsert makes no record.
    """
    if mode is Mode.CREATE:
        return _CREATE if record is None else _EXISTS
    if mode is Mode.REMOVE:
        return _NO_REMOVE if record is None else _REMOVE
    if record is None:
        return _made(values, needed) if mode is Mode.UPSERT else _NO_UPDATE
    changes = changes_of(record, values, identity=identity)
    return Decision(action=Action.UPDATE, changes=changes) if changes else _NOTHING


def changes_of(record: Record, values: Values, *, identity: tuple[str, ...]) -> Values:
    """Those of `values` that `record` does not have; what names it stays out of it."""
    has = record.values
    return {
        name: value
        for name, value in values.items()
        if name not in identity and (name not in has or has[name] != value)
    }


def _made(values: Values, needed: tuple[str, ...]) -> Decision:
    missing = tuple(name for name in needed if values.get(name) is None)
    return Decision(action=Action.REFUSE, missing=missing) if missing else _CREATE
