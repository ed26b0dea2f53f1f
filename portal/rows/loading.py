"""Creating very many records column by column: the quick way of what `chunk` does row by row.

The fates are the same. It is open to processors whose records the database itself keeps apart, and
to files whose rows say all of a record. Rows that may name what a row before them names, and those
that leave something alone, are looked for among the records first; a portion that the database
refuses is done row by row.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from portal.errors import ForbiddenError
from portal.rows.batch import Outcome
from portal.rows.fates import BLANK, CREATED, HELP, Fate, FateRun, Prepared, failed, refused
from portal.rows.faults import fate_of_fault
from portal.rows.processors import Acting, ManyRecords, Mode, RefusedRowError
from portal.rows.refusals import EXISTS
from portal.rows.seen import Name, same_as
from portal.rows.slots import Slots
from portal.rows.source import is_full
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking
from portal.tabular.conversion import ByColumn
from portal.tabular.fields import Value, Values
from portal.tabular.table import Row

CLOSELY = 3
SWEPT_PORTIONS = 10  # garbage is looked for so often, for little is left by a portion
Columns = Mapping[str, Sequence[Value]]
Fates = Mapping[int, Fate]


@runtime_checkable
class Loading(ManyRecords, Protocol):
    """Records that are also created column by column, for very large files."""

    def loads(self, names: Collection[str]) -> bool:
        """Whether records can be loaded of which these fields are given."""
        ...

    def ready(self, columns: Columns) -> Any | None:
        """What `load` takes of rows given column by column; None where they cannot be loaded."""
        ...

    def load(
        self, session: Session, ready: Any, *, acting: Acting
    ) -> Mapping[int, RefusedRowError]:
        """Create a record for each row without looking first.

        Returns what was refused, by place; all others are created. Where the database refuses any,
        its error is raised, and the caller rolls back.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Neighbouring rows, read and converted. All places are those in `rows`.

    `values` has the rows that say something of every field, `partial` those that leave something
    alone. `doubtful` rows may name what a row before them names, with the number of that row where
    it is likely, else 0. `told` has the fates of rows without values. `careful` are not to be
    loaded but done one by one; `sure` are all others, and `ready` is what is loaded of them.
    """

    rows: Sequence[Row]
    values: ByColumn
    partial: Mapping[int, Values]
    doubtful: Mapping[int, int]
    told: Fates
    careful: Sequence[int]
    sure: Sequence[int]
    ready: Any | None

    def at(self, place: int) -> Values:
        """The values of one row."""
        if place in self.partial:
            return self.partial[place]
        index = bisect_left(self.values.places, place)
        columns = zip(self.values.names, self.values.columns, strict=True)
        return {name: column[index] for name, column in columns}


class Loader:
    """Does the rows of a run. `portion` makes ready, `do` acts; each may have its own thread."""

    def __init__(self, run: Undertaking, records: Loading, suspects: Suspects) -> None:
        self._run = run
        self._records = records
        self._suspects = suspects
        self._slots = Slots()
        self._closely = 0  # so many portions are still to be looked at closely

    def portion(self, rows: Sequence[Row]) -> Portion:
        """`rows` converted, and their names remembered; they follow those of the last call."""
        conversion = self._run.conversion
        values = conversion.by_column([cells for _, _, cells in rows])
        partial = {
            place: conversion.convert(rows[place][2])
            for place, errors in values.errors.items()
            if errors is None and is_full(rows[place][2])
        }
        names = self._names(values, partial)
        numbers = (rows[place][0] for place in names)
        places = list(names)
        doubtful = {
            places[index]: row
            for index, row in self._slots.doubtful(names.values(), numbers).items()
        }
        nameless = (place for place, name in names.items() if None in name)
        told = self._told(rows, values)
        careful = sorted({*doubtful, *partial, *nameless}.difference(told))
        columns, sure = _but(values, {*careful, *told})
        return Portion(
            rows=rows,
            values=values,
            partial=partial,
            doubtful=doubtful,
            told=told,
            careful=careful,
            sure=sure,
            ready=self._records.ready(columns),
        )

    def do(self, session: Session, portion: Portion) -> Fates:
        """Do a portion; the fates by place of the rows that are not simply created."""
        done = self._load_all(session, portion) | self._carefully(session, portion)
        others = {place: fate for place, fate in done.items() if fate is not CREATED}
        return {**portion.told, **others}

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

    def _names(self, values: ByColumn, partial: Mapping[int, Values]) -> Mapping[int, Name]:
        """What each row names, by its place, in the order of the rows."""
        columns = dict(zip(values.names, values.columns, strict=True))
        parts = [columns[name] for name in self._run.identity or ()]
        names = dict(zip(values.places, zip(*parts, strict=True), strict=True))
        if not partial:
            return names
        identity = self._run.identity or ()
        names |= {at: tuple(map(row.get, identity)) for at, row in partial.items()}
        return dict(sorted(names.items()))

    def _load_all(self, session: Session, portion: Portion) -> dict[int, Fate]:
        self._closely -= 1
        places = portion.sure
        if not places:
            return {}
        if self._closely <= 0 and portion.ready is not None:
            refusals = self._load(session, portion.ready)
            if refusals is not None:
                return {places[n]: fate_of_fault(one, self._run) for n, one in refusals.items()}
            self._closely = CLOSELY
        rows = [portion.at(place) for place in places]
        return dict(zip(places, self._suspects.do_rows(session, self._run, rows), strict=True))

    def _load(self, session: Session, ready: Any) -> Mapping[int, RefusedRowError] | None:
        """What was refused of rows that are loaded; None, and nothing done, where they are not."""
        try:
            with session.begin_nested():
                return self._records.load(session, ready, acting=self._run.acting())
        except ForbiddenError:
            raise
        except Exception as fault:
            fate_of_fault(fault, self._run)  # raises what is no row's fault
            return None

    def _carefully(self, session: Session, portion: Portion) -> dict[int, Fate]:
        """Do rows after looking whether their record is there, in turns without a name twice."""
        fates: dict[int, Fate] = {}
        for turn in self._turns({place: portion.at(place) for place in portion.careful}):
            found = zip(turn.items(), self._find(session, list(turn.values())), strict=True)
            new = {place: row for (place, row), is_there in found if not is_there}
            done = self._suspects.do_rows(session, self._run, list(new.values()))
            fates.update(zip(new, done, strict=True))
            for place in turn.keys() - new.keys():
                other = portion.doubtful.get(place)
                fates[place] = same_as(self._run, other) if other else failed(EXISTS)
        return fates

    def _find(self, session: Session, rows: Sequence[Values]) -> list[bool]:
        """Whether there is a record of each row's name already."""
        named = [n for n, row in enumerate(rows) if self._run.named_by(row) is not None]
        asked = [rows[n] for n in named]
        found = self._records.find_many(session, asked, acting=self._run.acting())
        there = {n for n, record in zip(named, found, strict=True) if record is not None}
        return [n in there for n in range(len(rows))]

    def _turns(self, rows: Mapping[int, Values]) -> Iterator[dict[int, Values]]:
        """`rows` in parts in which no name stands twice."""
        part: dict[int, Values] = {}
        names: set[Name] = set()
        for place, values in rows.items():
            name = self._run.named_by(values)
            if name in names:
                yield part
                part, names = {}, set()
            part[place] = values
            if name is not None:
                names.add(name)
        if part:
            yield part


def loader_for(run: Undertaking, suspects: Suspects) -> Loader | None:
    """What loads the rows of a run; None where they have to be done another way."""
    records = run.processor.records
    if run.dry_run or run.mode is not Mode.CREATE or not run.processor.unique:
        return None
    given = {*run.conversion.names}
    if not isinstance(records, Loading) or run.identity is None or given != set(run.names):
        return None
    return Loader(run, records, suspects) if records.loads(given) else None


def runs_around(rows: Sequence[Row], fates: Fates) -> Iterator[FateRun]:
    """The rows as runs of like fate: those in `fates` alone, the others created."""
    start = 0
    for place in (*sorted(fates), len(rows)):
        if place > start:
            yield _bare(rows[start]), _bare(rows[place - 1]), CREATED, b""
        if place < len(rows):
            row = _bare(rows[place])
            yield row, row, fates[place], b""
        start = place + 1


def gains_around(rows: Sequence[Row], fates: Fates) -> Counter[Outcome]:
    """How many of `rows` have which outcome."""
    gains = Counter(fate.outcome for fate in fates.values())
    gains[Outcome.CREATED] += len(rows) - len(fates)
    return gains


def _but(values: ByColumn, places: Collection[int]) -> tuple[Columns, Sequence[int]]:
    """The columns without the rows at `places`, and the places of those that are left."""
    columns = dict(zip(values.names, values.columns, strict=True))
    if not places:
        return columns, values.places
    left = [place not in places for place in values.places]
    kept = {name: list(compress(column, left)) for name, column in columns.items()}
    return kept, list(compress(values.places, left))


def _bare(row: Row) -> Prepared:
    return Prepared(*row, None, None)
