"""The rows of a table as a processor's records: found, created, updated, removed by thousands."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.rows.processors import Acting, Mode, Record
from portal.tables.encoding import Encoded, Encoder
from portal.tables.layout import Layout
from portal.tables.lookups import Column, Question, Rows
from portal.tables.refusals import refusal_of
from portal.tables.shapes import Made
from portal.tabular.fields import Values

Guard: TypeAlias = Callable[[Acting, Mode | None], None]
Pairs: TypeAlias = Sequence[tuple[Record, Values]]


class TableRecords:
    """Records of one table. `guard` raises ForbiddenError where the actor may not (any more)."""

    def __init__(self, layout: Layout, rows: Rows, *, dialect: str, guard: Guard) -> None:
        self._layout = layout
        self._rows = rows
        self._encoder = Encoder(layout, rows, dialect=dialect)
        self._guard = guard
        self._keys = layout.shape.key
        self._made_up = {
            column.name: column
            for column in layout.shape.columns
            if column.made is Made.BY_COUNTER
            or (column.name in self._keys and column.name in layout.computed)
        }
        decoders = ((name, layout.codecs[name].decode) for name in layout.names)
        self._decoders = [(name, decode) for name, decode in decoders if decode is not None]

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """The record that the identity fields in `values` name, or None."""
        return self.find_many(session, [values], acting=acting)[0]

    def create(self, session: Session, values: Values, *, acting: Acting) -> Record:
        """Add a row; a column that is not there gets its default."""
        with self._refusing():
            return self.create_many(session, [values], acting=acting)[0]

    def update(self, session: Session, record: Record, values: Values, *, acting: Acting) -> Record:
        """Change a row; a column that is not there stays as it is."""
        with self._refusing():
            return self.update_many(session, [(record, values)], acting=acting)[0]

    def remove(self, session: Session, record: Record, *, acting: Acting) -> None:
        """Remove a row."""
        with self._refusing():
            self.remove_many(session, [record], acting=acting)

    def find_many(
        self, session: Session, rows: Sequence[Values], *, acting: Acting
    ) -> list[Record | None]:
        """`find` for each of `rows`."""
        self._guard(acting, None)
        found: list[Record | None] = [None] * len(rows)
        for identity, places in self._named(rows):
            asked = [rows[place] for place in places]
            for place, record in self._look_up(session, identity, asked):
                found[places[place]] = record
        return found

    def create_many(
        self, session: Session, rows: Sequence[Values], *, acting: Acting
    ) -> list[Record]:
        """`create` for each of `rows`."""
        self._guard(acting, Mode.CREATE)
        created: dict[int, Record] = {}
        for columns, places in self._alike(rows):
            group = [rows[place] for place in places]
            created.update(zip(places, self._insert(session, columns, group), strict=True))
        return [created[place] for place in range(len(rows))]

    def update_many(self, session: Session, pairs: Pairs, *, acting: Acting) -> list[Record]:
        """`update` for each of `pairs`; of several for one record the later ones go last."""
        self._guard(acting, Mode.UPDATE)
        updated: dict[int, Record] = {}
        for columns, places in _grouped(pairs, _given_columns).items():
            for turn in _turns(places, [pairs[place][0].key for place in places]):
                group = [pairs[place] for place in turn]
                changed = [name for name in columns if _differs(name, group)]
                updated.update(zip(turn, self._change(session, changed, group), strict=True))
        return [updated[place] for place in range(len(pairs))]

    def remove_many(self, session: Session, records: Sequence[Record], *, acting: Acting) -> None:
        """`remove` for each of `records`."""
        self._guard(acting, Mode.REMOVE)
        if records:
            self._rows.delete(session, self._split([record.key for record in records]))

    def _look_up(
        self, session: Session, identity: Sequence[str], rows: Sequence[Values]
    ) -> Iterator[tuple[int, Record]]:
        encoded, places = self._encoder.encode_known(session, identity, rows)
        if not places:
            return
        shape = self._layout.shape
        question = Question(
            table=shape.name,
            match=tuple(shape.column(name) for name in identity),
            asked=[encoded[name] for name in identity],
            chosen=self._layout.chosen,
            joins=self._layout.joins,
            lock=not session.connection().get_execution_options().get("read_only", False),
        )
        for place, *cells in self._rows.look_up(session, question):
            yield places[place], self._record(cells)

    def _record(self, cells: list[Any]) -> Record:
        width = len(self._keys)
        values = dict(zip(self._layout.names, cells[width:], strict=True))
        for name, decode in self._decoders:
            if values[name] is not None:
                values[name] = decode(values[name])
        return Record(key=_joined(cells[:width]), values=values)

    def _insert(
        self, session: Session, columns: Sequence[str], rows: Sequence[Values]
    ) -> Iterable[Record]:
        encoded = self._encoder.encode(session, columns, rows)
        for name, column in self._made_up.items():
            if name in encoded:
                self._count_on(session, name, encoded[name])
            else:
                encoded[name] = self._rows.make_up(session, column, len(rows))
        self._rows.insert(session, list(encoded), list(encoded.values()))
        keys = self._key_texts(encoded)
        if self._layout.computed - encoded.keys():
            return self._read_back(session, keys)
        return self._composed(rows, keys, {n: encoded[n] for n in self._made_up})

    def _composed(
        self, rows: Sequence[Values], keys: Sequence[str], made: Mapping[str, Column]
    ) -> list[Record]:
        blank = self._layout.blank
        records = [Record(key=key, values=blank | row) for key, row in zip(keys, rows, strict=True)]
        for name, column in made.items():
            for record, value in zip(records, column, strict=True):
                record.values[name] = self._made_value(name, value)
        return records

    def _made_value(self, name: str, value: Any) -> Any:
        whole = self._layout.shape.column(name).made is Made.BY_COUNTER
        return int(value) if whole else str(value)

    def _count_on(self, session: Session, name: str, values: Column) -> None:
        """Numbers that a file brings along must not come from the counter again."""
        column = self._made_up[name]
        if column.made is Made.BY_COUNTER and column.counter is not None:
            self._rows.count_on(session, column, max(int(value) for value in values))

    def _read_back(self, session: Session, keys: Sequence[str]) -> list[Record]:
        """The new rows as they stand, for there are defaults that only the database knows."""
        question = Question(
            table=self._layout.shape.name,
            match=self._layout.key_columns,
            asked=self._split(keys),
            chosen=self._layout.chosen,
            joins=self._layout.joins,
        )
        found = sorted(self._rows.look_up(session, question), key=lambda cells: int(cells[0]))
        return [self._record(cells) for _, *cells in found]

    def _change(self, session: Session, columns: Sequence[str], pairs: Pairs) -> list[Record]:
        if not columns:
            return [record for record, _ in pairs]
        keys = [record.key for record, _ in pairs]
        encoded = self._encoder.encode(session, columns, [values for _, values in pairs])
        self._rows.update(session, self._split(keys), columns, list(encoded.values()))
        if set(columns) & set(self._keys):
            keys = self._new_keys(keys, encoded)
        return [
            Record(key=key, values={**record.values, **values})
            for key, (record, values) in zip(keys, pairs, strict=True)
        ]

    def _new_keys(self, keys: Sequence[str], encoded: Encoded) -> list[str]:
        parts = dict(zip(self._keys, self._split(keys), strict=True))
        return self._key_texts({**parts, **encoded})

    def _key_texts(self, encoded: Encoded) -> list[str]:
        if len(self._keys) == 1:
            return [str(value) for value in encoded[self._keys[0]]]
        parts = zip(*(encoded[name] for name in self._keys), strict=True)
        return [_joined(list(cells)) for cells in parts]

    def _split(self, keys: Sequence[str]) -> list[Column]:
        """Keys of records as columns of values."""
        if len(self._keys) == 1:
            return [keys]
        return [list(column) for column in zip(*map(json.loads, keys), strict=True)]

    def _named(self, rows: Sequence[Values]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        """The places of the rows that have all of an identity, by the first such identity."""
        left = list(range(len(rows)))
        for identity in self._layout.identities:
            having = left
            for name in identity:
                having = [place for place in having if rows[place].get(name) is not None]
            if having:
                yield identity, having
                left = sorted(set(left).difference(having)) if len(having) < len(left) else []

    def _alike(self, rows: Sequence[Values]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        """The places of the rows that give the same columns; an empty counter is not given."""
        for columns, places in _grouped(rows, tuple).items():
            if self._made_up.keys().isdisjoint(columns):
                yield columns, places
                continue
            parts = _grouped([rows[place] for place in places], self._columns_of)
            for part, inside in parts.items():
                yield part, [places[place] for place in inside]

    def _columns_of(self, row: Values) -> tuple[str, ...]:
        return tuple(
            [name for name, value in row.items() if value is not None or name not in self._made_up]
        )

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            refusal = refusal_of(error, self._layout.shape)
            if refusal is None:
                raise
            raise refusal from error


def _grouped(items: Sequence[Any], group_of: Callable[[Any], Any]) -> dict[Any, list[int]]:
    """The places of `items`, by their group."""
    groups: dict[Any, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(group_of(item), []).append(place)
    return groups


def _given_columns(pair: tuple[Record, Values]) -> tuple[str, ...]:
    return tuple(pair[1])


def _differs(name: str, pairs: Pairs) -> bool:
    return any(values[name] != record.values.get(name) for record, values in pairs)


def _turns(places: Sequence[int], keys: Sequence[str]) -> Iterator[list[int]]:
    """The places in as many turns as the most frequent key needs; one turn has no key twice."""
    left = list(zip(places, keys, strict=True))
    while left:
        seen: set[str] = set()
        turn: list[tuple[int, str]] = []
        later: list[tuple[int, str]] = []
        for place, key in left:
            (later if key in seen else turn).append((place, key))
            seen.add(key)
        yield [place for place, _ in turn]
        left = later


def _joined(cells: list[Any]) -> str:
    """The key of a record: of one column its text, of several a JSON list of texts."""
    return str(cells[0]) if len(cells) == 1 else json.dumps([str(cell) for cell in cells])
