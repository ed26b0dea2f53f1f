"""Rows of a table created column by column, without a look at what is there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

from sqlalchemy.orm import Session

from portal.rows.processors import Acting, Mode, RefusedRowError
from portal.tables.encoding import Encoded, Known
from portal.tables.layout import Layout
from portal.tables.lookups import Column, Rows
from portal.tables.records import Guard, MaySee, TableRecords


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Rows to be loaded, column by column; `packed` where all their words were known already."""

    columns: Encoded
    packed: Any = None


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
        known = self._encoder.refer_to_known(self._referring(plain), known=self._words)
        if known is None:
            return Ready(columns=plain)
        return Ready(columns=plain, packed=self._rows.pack(list((plain | known).values())))

    def load(
        self, session: Session, ready: Ready, *, acting: Acting
    ) -> Mapping[int, RefusedRowError]:
        """Add rows, column by column; those with a word that names nothing are left out."""
        self._guard(acting, Mode.CREATE)
        packed = ready.packed
        refused: Mapping[int, RefusedRowError] = {}
        if packed is None:
            found, refused = self._encoder.refer(
                session, self._referring(ready.columns), known=self._words
            )
            values = list((ready.columns | found).values())
            if refused:
                taken = [n not in refused for n in range(len(values[0]))]
                values = [list(compress(column, taken)) for column in values]
            packed = self._rows.pack(values)
        for name in self._made_up:
            self._count_on(session, name, ready.columns[name])
        self._rows.insert(session, list(ready.columns), packed)
        return refused

    def _referring(self, columns: Encoded) -> Encoded:
        return {name: columns[name] for name in self._layout.references if name in columns}
