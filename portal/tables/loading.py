"""Rows of a table created column by column, without a look at what is there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from typing import Any

from sqlalchemy.orm import Session

from portal.rows.processors import Acting, Mode, RefusedRowError
from portal.tables.encoding import Encoded, Known
from portal.tables.layout import Layout
from portal.tables.lookups import Column, Rows
from portal.tables.records import Guard, MaySee, TableRecords


@dataclass(frozen=True, kw_only=True)
class Ready:
    """So many rows as they are stored: `packed` are those whose words were known already.

    `rest` are the others, column by column, and their `places`; `highest` is what they bring along
    for columns that the database counts.
    """

    rows: int
    packed: Any
    rest: Encoded
    places: Sequence[int]
    highest: Mapping[str, int]


class LoadedRecords(TableRecords):
    """The records of a table, for very large files too."""

    def __init__(
        self, layout: Layout, rows: Rows, *, dialect: str, guard: Guard, may_see: MaySee
    ) -> None:
        super().__init__(layout, rows, dialect=dialect, guard=guard, may_see=may_see)
        self._words: Known = {}

    def loads(self, names: Collection[str]) -> bool:
        """Say whether rows of these fields leave nothing to the database but known defaults."""
        given = set(names)
        return given.issuperset(self._made_up) and given.issuperset(self._layout.computed)

    def ready(self, columns: Mapping[str, Column]) -> Ready | None:
        """The columns as they are stored, as far as that is known without the database."""
        if any(None in columns[name] for name in self._made_up):
            return None
        plain = self._encoder.encode_plain(columns)
        known, lost = self._encoder.refer_to_known(self._referring(plain), known=self._words)
        count = len(next(iter(columns.values())))
        taken = [n not in lost for n in range(count)] if lost else ()
        return Ready(
            rows=count,
            packed=self._rows.pack(_some((plain | known).values(), taken)),
            rest={name: [values[n] for n in lost] for name, values in plain.items()},
            places=lost,
            highest={name: max(map(int, plain[name])) for name in self._counters & plain.keys()},
        )

    def load(
        self, session: Session, ready: Sequence[Ready], *, acting: Acting
    ) -> Mapping[int, RefusedRowError]:
        """Add rows, column by column; those with a word that names nothing are left out."""
        self._guard(acting, Mode.CREATE)
        starts = accumulate((part.rows for part in ready), initial=0)
        places = [
            start + place
            for start, part in zip(starts, ready, strict=False)
            for place in part.places
        ]
        rest = {
            name: [value for part in ready for value in part.rest[name]] for name in ready[0].rest
        }
        found, refused = self._encoder.refer(session, self._referring(rest), known=self._words)
        taken = [n not in refused for n in range(len(places))] if refused else ()
        packed = self._rows.pack(_some((rest | found).values(), taken))
        self._count_all_on(session, ready)
        self._rows.insert(session, list(rest), [*(part.packed for part in ready), packed])
        return {places[n]: refusal for n, refusal in refused.items()}

    def _count_all_on(self, session: Session, ready: Sequence[Ready]) -> None:
        for name in ready[0].highest:
            self._count_on(session, name, [part.highest[name] for part in ready])

    def _referring(self, columns: Mapping[str, Column]) -> Encoded:
        return {name: columns[name] for name in self._layout.references if name in columns}


def _some(columns: Iterable[Column], taken: Sequence[bool]) -> list[Column]:
    """The rows that are `taken`, all where nothing is said."""
    return [list(compress(column, taken)) for column in columns] if taken else list(columns)
