"""The rows of a table as a processor's records: found, created, updated, removed by thousands."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.rows.processors import Acting, Mode, Record, RefusedRowError
from portal.tables.composing import Composed
from portal.tables.counting import count_exactly
from portal.tables.encoding import Encoded, Encoder
from portal.tables.grouping import alike, grouped, named, turns
from portal.tables.keys import joined, key_texts, split
from portal.tables.layout import Layout
from portal.tables.lookups import Column, Question, Rows
from portal.tables.refusals import refusal_of
from portal.tables.rules import Rules
from portal.tables.shapes import Made
from portal.tables.suggesting import suggest_words
from portal.tabular.fields import Choice, Values
from portal.tabular.markers import REQUIRED

Guard: TypeAlias = Callable[[Acting, Mode | None], None]
MaySee: TypeAlias = Callable[[Acting, str], bool]
Pairs: TypeAlias = Sequence[tuple[Record, Values]]


class TableRecords:
    """Records of one table. `guard` raises ForbiddenError where the actor may not (any more).

    `may_see` says whether he may know the rows of another table.
    """

    def __init__(
        self, layout: Layout, rows: Rows, *, dialect: str, guard: Guard, may_see: MaySee
    ) -> None:
        self._layout = layout
        self._rows = rows
        self._encoder = Encoder(layout, rows, dialect=dialect)
        self._guard = guard
        self._may_see = may_see
        self._keys = layout.shape.key
        self._made_up = {
            column.name: column
            for column in layout.shape.columns
            if column.made is Made.BY_COUNTER
            or (column.name in self._keys and column.name in layout.computed)
        }
        self._counters = {
            name for name, column in self._made_up.items() if column.made is Made.BY_COUNTER
        }
        self._rules = Rules(
            layout, rows, self._encoder, look_up=self._look_up, made_up=self._made_up
        )
        decoders = ((name, layout.codecs[name].decode) for name in layout.names)
        self._decoders = [(name, decode) for name, decode in decoders if decode is not None]

    def suggest(
        self, session: Session, field: str, text: str, *, acting: Acting
    ) -> Sequence[Choice]:
        """Rows of the table that this column refers to, by their word."""
        self._guard(acting, None)
        reference = self._layout.references.get(field)
        if reference is None or not self._may_see(acting, reference.table):
            return []
        return suggest_words(session, reference, text)

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """The record that the identity fields in `values` name, or None."""
        return self.find_many(session, [values], acting=acting)[0]

    def count(self, session: Session, *, acting: Acting) -> int:
        """How many rows the table has."""
        self._guard(acting, Mode.REMOVE)
        return count_exactly(session.connection(), self._layout.shape)

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

    def check(
        self,
        session: Session,
        mode: Mode,
        record: Record | None,
        values: Values,
        *,
        acting: Acting,
    ) -> None:
        """Raise RefusedRowError where a rule of the table, as it is known, would be broken."""
        self._guard(acting, mode)
        if mode is not Mode.REMOVE:
            self._rules.check_filled(values)
            self._encoder.encode(session, tuple(values), [values])
            self._rules.check_alone(session, record, values)

    def derive(
        self,
        session: Session,
        mode: Mode,
        rows: Sequence[tuple[Record | None, Values]],
        *,
        acting: Acting,
    ) -> Sequence[RefusedRowError | None]:
        """Why the rules of the table, as they are known, refuse each of `rows`."""
        self._guard(acting, mode)
        return self._rules.broken(session, rows)

    def find_many(
        self, session: Session, rows: Sequence[Values], *, acting: Acting
    ) -> list[Record | None]:
        """`find` for each of `rows`."""
        self._guard(acting, None)
        found: list[Record | None] = [None] * len(rows)
        for identity, places in named(rows, self._layout.identities):
            asked = [rows[place] for place in places]
            for place, record in self._look_up(session, identity, asked):
                found[places[place]] = record
        return found

    def create_many(
        self, session: Session, rows: Sequence[Values], *, acting: Acting
    ) -> Sequence[Record]:
        """`create` for each of `rows`."""
        self._guard(acting, Mode.CREATE)
        created: dict[int, Record] = {}
        for columns, places in alike(rows, made_up=self._made_up):
            if len(places) == len(rows):
                return self._insert(session, columns, rows)
            group = [rows[place] for place in places]
            created.update(zip(places, self._insert(session, columns, group), strict=True))
        return [created[place] for place in range(len(rows))]

    def update_many(self, session: Session, pairs: Pairs, *, acting: Acting) -> list[Record]:
        """`update` for each of `pairs`; of several for one record the later ones go last."""
        self._guard(acting, Mode.UPDATE)
        updated: dict[int, Record] = {}
        for columns, places in grouped(pairs, _given_columns).items():
            keys = [pairs[place][0].key for place in places]
            for number, turn in enumerate(turns(places, keys)):
                group = [pairs[place] for place in turn]
                changed = [name for name in columns if number or _differs(name, group)]
                updated.update(zip(turn, self._change(session, changed, group), strict=True))
        return [updated[place] for place in range(len(pairs))]

    def remove_many(self, session: Session, records: Sequence[Record], *, acting: Acting) -> None:
        """`remove` for each of `records`."""
        self._guard(acting, Mode.REMOVE)
        if records:
            self._rows.delete(session, split(self._keys, [record.key for record in records]))

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
        return Record(key=joined(cells[:width]), values=values)

    def _insert(
        self, session: Session, columns: Sequence[str], rows: Sequence[Values]
    ) -> Sequence[Record]:
        for name in self._keys:
            if name not in columns and name not in self._made_up:
                raise RefusedRowError(REQUIRED, field=name)
        encoded = self._encoder.encode(session, columns, rows)
        for name, column in self._made_up.items():
            if name in encoded:
                self._count_on(session, name, encoded[name])
            else:
                encoded[name] = self._rows.make_up(session, column, len(rows))
        self._rows.insert(session, list(encoded), [self._rows.pack(list(encoded.values()))])
        if self._layout.computed - encoded.keys():
            return self._read_back(session, key_texts(self._keys, encoded))
        return Composed(
            rows,
            keys=[encoded[name] for name in self._keys],
            made={name: encoded[name] for name in self._made_up if name not in columns},
            counters=frozenset(self._counters),
            blank=self._layout.blank,
        )

    def _count_on(self, session: Session, name: str, values: Column) -> None:
        """Numbers that a file brings along must not come from the counter again."""
        column = self._made_up[name]
        if name in self._counters and column.counter is not None:
            self._rows.count_on(session, column, max(int(value) for value in values))

    def _read_back(self, session: Session, keys: Sequence[str]) -> list[Record]:
        """The new rows as they stand, for there are defaults that only the database knows."""
        question = Question(
            table=self._layout.shape.name,
            match=self._layout.key_columns,
            asked=split(self._keys, keys),
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
        self._rows.update(session, split(self._keys, keys), columns, list(encoded.values()))
        if set(columns) & set(self._keys):
            keys = self._new_keys(keys, encoded)
        return [
            Record(key=key, values={**record.values, **values})
            for key, (record, values) in zip(keys, pairs, strict=True)
        ]

    def _new_keys(self, keys: Sequence[str], encoded: Encoded) -> list[str]:
        parts = dict(zip(self._keys, split(self._keys, keys), strict=True))
        return key_texts(self._keys, {**parts, **encoded})

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            refusal = refusal_of(error, self._layout.shape)
            if refusal is None:
                raise
            raise refusal from error


def _given_columns(pair: tuple[Record, Values]) -> tuple[str, ...]:
    return tuple(pair[1])


def _differs(name: str, pairs: Pairs) -> bool:
    return any(values[name] != record.values.get(name) for record, values in pairs)
