"""Which rows break which rule of a table, as it is known: worked out for many at a time."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.rows.processors import Record, RefusedRowError
from portal.tables.encoding import Encoder
from portal.tables.grouping import grouped
from portal.tables.layout import Layout
from portal.tables.lookups import Rows
from portal.tables.refusals import not_filled, rule_broken, same_already
from portal.tables.shapes import Check, Unique
from portal.tabular.fields import Values

Asked: TypeAlias = tuple[Record | None, Values]
LookUp: TypeAlias = Callable[
    [Session, Sequence[str], Sequence[Values]], Iterator[tuple[int, Record]]
]
Refusals: TypeAlias = dict[int, RefusedRowError]


class Rules:
    """The rules of one table. `made_up` are columns that the database fills where they are empty.

    A refusal is told only where the database would certainly refuse the row; keys of several
    columns, triggers and what expressions of indexes say are left to it.
    """

    def __init__(
        self,
        layout: Layout,
        rows: Rows,
        encoder: Encoder,
        *,
        look_up: LookUp,
        made_up: Collection[str],
    ) -> None:
        self._layout = layout
        self._rows = rows
        self._encoder = encoder
        self._look_up = look_up
        self._made_up = made_up

    def check_filled(self, values: Values) -> None:
        """Raise RefusedRowError where something is empty that must not be."""
        for name, value in values.items():
            column = self._layout.shape.column(name)
            if value is None and not column.nullable and name not in self._made_up:
                raise not_filled(self._layout.shape, name)

    def check_alone(self, session: Session, record: Record | None, values: Values) -> None:
        """Raise RefusedRowError where another row has what is unique in this one."""
        for unique in self._layout.shape.uniques:
            for refusal in self._not_alone(session, unique, [(record, values)], [0]).values():
                raise refusal

    def broken(self, session: Session, rows: Sequence[Asked]) -> list[RefusedRowError | None]:
        """Why each of `rows` would be refused, as far as that is known."""
        told: Refusals = {}
        for find in (self._not_filled, self._unknown, self._checked, self._taken):
            left = [place for place in range(len(rows)) if place not in told]
            told |= find(session, rows, left)
        return [told.get(place) for place in range(len(rows))]

    def _not_filled(
        self, _session: Session, rows: Sequence[Asked], left: Sequence[int]
    ) -> Refusals:
        told: Refusals = {}
        for place in left:
            try:
                self.check_filled(rows[place][1])
            except RefusedRowError as refusal:
                told[place] = _derived(refusal)
        return told

    def _unknown(self, session: Session, rows: Sequence[Asked], left: Sequence[int]) -> Refusals:
        """Rows with words that name nothing, in the words that Portal always has for that."""
        told: Refusals = {}
        for columns, places in grouped([tuple(rows[place][1]) for place in left], _same).items():
            there = [left[place] for place in places]
            refused = self._encoder.refusals(session, columns, [rows[at][1] for at in there])
            told |= {there[place]: refusal for place, refusal in refused.items()}
        return told

    def _checked(self, session: Session, rows: Sequence[Asked], left: Sequence[int]) -> Refusals:
        told: Refusals = {}
        for known, places in grouped([self._known(*rows[place]) for place in left], _same).items():
            there = [left[place] for place in places]
            wholes = [self._whole(*rows[at]) for at in there]
            for check in self._layout.shape.checks:
                if self._is_about(check, known):
                    broken = self._breaking(session, check, known, wholes)
                    told |= {there[place]: _derived(rule_broken(check)) for place in broken}
        return told

    def _breaking(
        self, session: Session, check: Check, columns: Sequence[str], wholes: Sequence[Values]
    ) -> Sequence[int]:
        """The places of the rows that break `check`; none where it cannot be asked so."""
        encoded, places = self._encoder.encode_known(session, columns, wholes)
        try:
            with session.begin_nested():
                found = self._rows.breaking(session, check, list(encoded), list(encoded.values()))
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return []
        return [places[place] for place in found]

    def _known(self, record: Record | None, values: Values) -> tuple[str, ...]:
        """The columns of which it is known what the row will have there."""
        if record is not None:
            return self._layout.names
        unsure = {*self._made_up, *self._layout.computed}
        return tuple(n for n in self._layout.names if n in values or n not in unsure)

    def _is_about(self, check: Check, known: Collection[str]) -> bool:
        """Whether a rule speaks of columns that are known, and of no other."""
        others = {column.name for column in self._layout.shape.columns} - set(known)
        said = check.sql.lower()
        return not any(name.lower() in said for name in others)

    def _taken(self, session: Session, rows: Sequence[Asked], left: Sequence[int]) -> Refusals:
        told: Refusals = {}
        shape = self._layout.shape
        for unique in (*shape.uniques, Unique(name="", columns=shape.primary_key)):
            places = [place for place in left if place not in told]
            refused = self._not_alone(session, unique, rows, places)
            told |= {place: _derived(refusal) for place, refusal in refused.items()}
        return told

    def _not_alone(
        self, session: Session, unique: Unique, rows: Sequence[Asked], places: Sequence[int]
    ) -> Refusals:
        """Rows whose unique values another row has, or one before them in `places` will have."""
        columns = unique.columns
        wholes = {place: self._whole(*rows[place]) for place in places}
        asked = [
            place
            for place in places
            if not rows[place][1].keys().isdisjoint(columns)
            and all(wholes[place].get(name) is not None for name in columns)
        ]
        if not asked:
            return {}
        changing = {record.key for record, _ in rows if record is not None}
        taken = {
            asked[at]
            for at, other in self._look_up(session, columns, [wholes[place] for place in asked])
            if other.key not in changing
        }
        free = [place for place in asked if place not in taken]
        named = grouped([tuple(wholes[place][name] for name in columns) for place in free], _same)
        taken |= {free[at] for same in named.values() for at in same[1:]}
        return {place: same_already(self._layout.shape, columns) for place in taken}

    def _whole(self, record: Record | None, values: Values) -> Values:
        return {**(self._layout.blank if record is None else record.values), **values}


def _same(what: Any) -> Any:
    return what


def _derived(refusal: RefusedRowError) -> RefusedRowError:
    original = refusal.original and f"{refusal.original} (derived)"
    return RefusedRowError(f"{refusal} (derived)", field=refusal.field, original=original)
