"""Neighbouring rows, read and converted a few at a time, ready to be loaded together."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, islice
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from portal.rows.fates import BLANK, HELP, Fate, refused
from portal.rows.kept_rows import SLICE, KeptRows
from portal.rows.processors import Acting, ManyRecords, RefusedRowError
from portal.rows.seen import Name
from portal.rows.slots import BITS, Slots
from portal.rows.source import is_full, portions
from portal.rows.undertaking import Undertaking
from portal.tabular.conversion import ByColumn, RowErrors
from portal.tabular.fields import Value, Values
from portal.tabular.table import Row

Columns = Mapping[str, Sequence[Value]]


@runtime_checkable
class Loading(ManyRecords, Protocol):
    """Records that are also created column by column, for very large files."""

    def loads(self, names: Collection[str]) -> bool:
        """Whether records can be loaded of which these fields are given."""
        ...

    def ready(self, columns: Columns) -> Any | None:
        """Some rows, given column by column, as `load` takes them; None where it cannot."""
        ...

    def load(
        self, session: Session, ready: Sequence[Any], *, acting: Acting
    ) -> Mapping[int, RefusedRowError]:
        """Create a record for each row of all that is `ready`, without looking first.

        Returns what was refused, by place among all of them; all others are created. Where the
        database refuses any, its error is raised, and the caller rolls back.
        """
        ...


@dataclass(kw_only=True)
class Portion:
    """Rows of which some are to be loaded. All places are those in `rows`.

    `doubtful` rows may name what a row before them names, with the number of that row where it is
    likely, else 0. `told` has the fates of rows without values. `careful` are not to be loaded but
    done one by one; `sure` are all others, and `ready` is what is loaded of them, unless one part
    of it cannot be.
    """

    rows: KeptRows = field(default_factory=KeptRows)
    doubtful: dict[int, int] = field(default_factory=dict)
    told: dict[int, Fate] = field(default_factory=dict)
    careful: list[int] = field(default_factory=list)
    sure: list[int] = field(default_factory=list)
    ready: list[Any | None] = field(default_factory=list)


class PortionMaker:
    """Makes the portions of a run; the names in one are remembered for the next ones.

    `ready` makes of rows, given column by column, what is to be done with them.
    """

    def __init__(
        self, run: Undertaking, ready: Callable[[Columns], Any | None], *, slot_bits: int = BITS
    ) -> None:
        self._run = run
        self._key = tuple(run.identity or ())
        self._ready = ready
        self._slots = Slots(slot_bits)

    def make(self, rows: Iterator[Row], *, size: int) -> Portion | None:
        """The next `size` rows, converted; they follow those of the last call. None at the end."""
        portion = Portion()
        for some in portions(islice(rows, size), size=SLICE):
            self._add(portion, some)
        return portion if len(portion.rows) else None

    def _add(self, portion: Portion, rows: Sequence[Row]) -> None:
        start = len(portion.rows)
        portion.rows.put(rows)
        values = self._run.conversion.by_column([cells for _, _, cells in rows])
        partial = {
            place: self._run.conversion.convert(rows[place][2])
            for place, errors in values.errors.items()
            if errors is None and is_full(rows[place][2])
        }
        told = self._told(rows, values)
        places, names = self._names(values, partial)
        doubtful = self._doubtful(places, names, first=rows[0][0])
        careful = sorted({*doubtful, *partial, *self._nameless(places, names)}.difference(told))
        columns, sure = _but(values, {*careful, *told})
        if sure:
            portion.ready.append(self._ready(columns))
        portion.doubtful.update((start + place, row) for place, row in doubtful.items())
        portion.told.update((start + place, fate) for place, fate in told.items())
        portion.careful += [start + place for place in careful]
        portion.sure += [start + place for place in sure]

    def _doubtful(
        self, places: Sequence[int], names: Sequence[Hashable], *, first: int
    ) -> dict[int, int]:
        found = self._slots.doubtful(names, [first + n for n in places]) if places else {}
        return {places[index]: row for index, row in found.items()}

    def _told(self, rows: Sequence[Row], values: ByColumn) -> dict[int, Fate]:
        """The fates of rows without values."""
        told: dict[int, Fate] = {}
        for place, errors in values.errors.items():
            if not is_full(rows[place][2]):
                told[place] = BLANK
            elif errors is not None:
                told[place] = refused(errors.errors)
        if rows[0][0] == 1 and self._run.conversion.is_help_row(rows[0][2]):
            told[0] = HELP
        return told

    def _names(
        self, values: ByColumn, partial: Mapping[int, Values]
    ) -> tuple[Sequence[int], Sequence[Hashable]]:
        """The places of rows, in order, and what each of them names."""
        columns = dict(zip(values.names, values.columns, strict=True))
        names: Sequence[Hashable] = columns[self._key[0]]
        if len(self._key) > 1:
            names = list(zip(*(columns[name] for name in self._key), strict=True))
        if not partial:
            return values.places, names
        named = dict(zip(values.places, names, strict=True))
        named |= {place: self._name(row) for place, row in partial.items()}
        return sorted(named), [named[place] for place in sorted(named)]

    def _name(self, row: Values) -> Hashable:
        name = tuple(map(row.get, self._key))
        return name if len(name) > 1 else name[0]

    def _nameless(self, places: Sequence[int], names: Sequence[Hashable]) -> list[int]:
        """The places of rows that do not say all of what they name."""
        if len(self._key) == 1 and None not in names:
            return []
        told = zip(places, names, strict=True)
        return [n for n, name in told if None in (name if isinstance(name, tuple) else (name,))]


def values_at(run: Undertaking, portion: Portion, places: Sequence[int]) -> dict[int, Values]:
    """The values of rows, by their place."""
    rows = [row.cells for row in portion.rows.whole(places)]
    found = zip(places, run.conversion.convert_many(rows), strict=True)
    return {place: row for place, row in found if not isinstance(row, RowErrors)}


def turns_of(run: Undertaking, rows: Mapping[int, Values]) -> Iterator[dict[int, Values]]:
    """`rows` in parts in which no name stands twice."""
    part: dict[int, Values] = {}
    names: set[Name] = set()
    for place, values in rows.items():
        name = run.named_by(values)
        if name in names:
            yield part
            part, names = {}, set()
        part[place] = values
        if name is not None:
            names.add(name)
    if part:
        yield part


def _but(values: ByColumn, places: Collection[int]) -> tuple[Columns, Sequence[int]]:
    """The columns without the rows at `places`, and the places of those that are left."""
    columns = dict(zip(values.names, values.columns, strict=True))
    if not places:
        return columns, values.places
    left = [place not in places for place in values.places]
    kept = {name: list(compress(column, left)) for name, column in columns.items()}
    return kept, list(compress(values.places, left))
