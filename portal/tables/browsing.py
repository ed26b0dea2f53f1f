"""Pages of a table's rows: filtered, sorted, each page found by where the last one ended."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from portal.errors import InvalidError
from portal.tables.keys import joined
from portal.tables.layout import Layout
from portal.tables.patience import limited
from portal.tables.quoting import escaped, quoted
from portal.tabular.canonical import text_of
from portal.tabular.fields import FieldType

CELL = 200  # characters of a long text that a list shows
_TEXTS = frozenset({FieldType.TEXT, FieldType.CHOICE, FieldType.REFERENCE})
_MARK = "\x00"  # stands for a parameter until it is known how the driver writes one
_LARGEST = 2**63 - 1
_TRUE = frozenset({"true", "yes", "1", "t"})


class Comparison(StrEnum):
    """What a filter asks of a column."""

    CONTAINS = "contains"
    IS = "is"
    FROM = "from"
    TO = "to"
    EMPTY = "empty"
    FILLED = "filled"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows of a table to show, and in which order.

    Without `sort` the order is that of the key. `after` is where the last page ended.
    """

    column: str = ""
    test: Comparison = Comparison.CONTAINS
    text: str = ""
    sort: str = ""
    descending: bool = False
    after: str = ""

    @property
    def filters(self) -> bool:
        """Say whether rows are left out."""
        return bool(self.column) and (
            bool(self.text) or self.test in (Comparison.EMPTY, Comparison.FILLED)
        )


@dataclass(frozen=True, kw_only=True)
class RowsPage:
    """One page: cells as text (None where there is no value); `after` leads on, if it does.

    `keys` are those of the rows, as batches have them; empty where the table has none.
    """

    rows: tuple[tuple[str | None, ...], ...]
    keys: tuple[str, ...] = ()
    after: str = ""


def browse(connection: Connection, layout: Layout, *, wanted: Wanted, limit: int) -> RowsPage:
    """The rows that are `wanted`, at most `limit`.

    Raises InvalidError where a column is unknown or cannot be compared with the text, and
    TooSlowError.
    """
    query = _Query(layout, wanted, dialect=connection.dialect.name)
    sql, values = query.sql(limit + 1)
    try:
        with limited(connection):
            found = connection.exec_driver_sql(sql, values).all()
    except DBAPIError as error:
        if not str(getattr(error.orig, "sqlstate", "")).startswith(("22", "42")):
            raise
        raise InvalidError(
            f"The column {wanted.column or wanted.sort} cannot be used so."
        ) from error
    shown = found[:limit]
    more = len(found) > limit and bool(layout.shape.key)
    return RowsPage(
        rows=tuple(query.cells(row) for row in shown),
        keys=tuple(query.key_of(row) for row in shown) if layout.shape.key else (),
        after=query.place_of(shown[-1]) if more else "",
    )


class _Query:
    """The SELECT for one page."""

    def __init__(self, layout: Layout, wanted: Wanted, *, dialect: str) -> None:
        self._layout = layout
        self._wanted = wanted
        self._dialect = dialect
        self._values: list[Any] = []
        self._width = len(layout.shape.key)
        self._order = self._checked(wanted.sort)
        if wanted.filters:
            self._checked(wanted.column)

    def sql(self, limit: int) -> tuple[str, tuple[Any, ...]]:
        """The statement and its parameters."""
        conditions = [part for part in (self._filter(), self._behind()) if part]
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        keys = self._layout.chosen[: self._width]
        cells = [self._shown(place) for place in range(len(self._layout.fields))]
        sort = [self._raw(self._order)] if self._order else []
        order = [f"{name} {self._direction}" for name in (*self._sorted(), *self._key_names())]
        sql = (
            f"SELECT {', '.join((*sort, *keys, *cells))} "  # noqa: S608
            f"FROM {quoted(self._layout.shape.name)} AS t {self._layout.joins} {where}"
            f"{'ORDER BY ' + ', '.join(order) if order else ''} LIMIT {limit}"
        )
        mark = "%s" if self._dialect == "postgresql" else "?"
        return escaped(sql, dialect=self._dialect).replace(_MARK, mark), tuple(self._values)

    def cells(self, row: Sequence[Any]) -> tuple[str | None, ...]:
        """What is shown of a row."""
        values = row[len(self._sorted()) + self._width :]
        return tuple(map(self._text, self._layout.names, values))

    def key_of(self, row: Sequence[Any]) -> str:
        """What finds the row again."""
        begin = len(self._sorted())
        return joined(row[begin : begin + self._width])

    def place_of(self, row: Sequence[Any]) -> str:
        """Where a page ends, as text for an address."""
        known = list(row[: len(self._sorted()) + self._width])
        return base64.urlsafe_b64encode(json.dumps(known).encode()).decode().rstrip("=")

    @property
    def _direction(self) -> str:
        return "DESC" if self._wanted.descending else "ASC"

    def _checked(self, name: str) -> str:
        if name and name not in self._layout.names:
            raise InvalidError(f"The table has no column {name!r} to be asked for.")
        return name if (name,) != self._layout.shape.key else ""

    def _sorted(self) -> list[str]:
        return [f"t.{quoted(self._order)}"] if self._order else []

    def _key_names(self) -> list[str]:
        return [f"t.{quoted(name)}" for name in self._layout.shape.key]

    def _raw(self, name: str) -> str:
        """The value that the order goes by, exactly: SQLite gives it, PostgreSQL writes it out."""
        own = f"t.{quoted(name)}"
        return f"CAST({own} AS text)" if self._dialect == "postgresql" else own

    def _expression(self, name: str) -> str:
        return self._layout.chosen[self._width + self._layout.names.index(name)]

    def _shown(self, place: int) -> str:
        expression = self._layout.chosen[self._width + place]
        is_text = self._layout.fields[place].type in _TEXTS
        return f"substr({expression}, 1, {CELL + 1})" if is_text else expression

    def _text(self, name: str, value: Any) -> str | None:
        decode = self._layout.codecs[name].decode
        if value is None:
            return None
        text = text_of(decode(value) if decode else value)
        return text if len(text) <= CELL else f"{text[:CELL]}…"

    def _given(self, name: str, value: Any) -> str:
        """A parameter to compare the column with."""
        self._values.append(value)
        cast = self._layout.shape.column(name).cast
        return f"CAST({_MARK} AS {cast})" if cast else _MARK

    def _filter(self) -> str:
        wanted = self._wanted
        if not wanted.filters:
            return ""
        own = f"t.{quoted(wanted.column)}"
        match wanted.test:
            case Comparison.EMPTY:
                return f"{own} IS NULL"
            case Comparison.FILLED:
                return f"{own} IS NOT NULL"
            case Comparison.CONTAINS:
                return self._contains()
            case _ if wanted.column in self._layout.references:
                self._values.append(wanted.text)
                return f"{self._expression(wanted.column)} {_SIGNS[wanted.test]} {_MARK}"
        return f"{own} {_SIGNS[wanted.test]} {self._given(wanted.column, self._compared())}"

    def _contains(self) -> str:
        like = "ILIKE" if self._dialect == "postgresql" else "LIKE"
        sought = self._wanted.text
        for char in "\\%_":
            sought = sought.replace(char, f"\\{char}")
        self._values.append(f"%{sought}%")
        expression = f"CAST({self._expression(self._wanted.column)} AS text)"
        return f"{expression} {like} {_MARK} ESCAPE '\\'"

    def _compared(self) -> str | int:
        """SQLite keeps yes and no as numbers."""
        field = self._layout.fields[self._layout.names.index(self._wanted.column)]
        if field.type is FieldType.BOOLEAN and self._dialect != "postgresql":
            return int(self._wanted.text.strip().lower() in _TRUE)
        return self._wanted.text

    def _behind(self) -> str:
        """The condition for rows after the place where the last page ended."""
        place = _place(self._wanted.after, len(self._sorted()) + self._width)
        if place is None:
            return ""
        if not self._order:
            return self._keys_behind(place)
        own, value, keys = self._sorted()[0], place[0], place[1:]
        nulls_last = (self._dialect == "postgresql") is not self._wanted.descending
        if value is None:
            behind = f"({own} IS NULL AND {self._keys_behind(keys)})"
            return behind if nulls_last else f"({behind} OR {own} IS NOT NULL)"
        sign = "<" if self._wanted.descending else ">"
        behind = f"{own} {sign} {self._given(self._order, value)} OR "
        behind += f"({own} = {self._given(self._order, value)} AND {self._keys_behind(keys)})"
        return f"({behind} OR {own} IS NULL)" if nulls_last else f"({behind})"

    def _keys_behind(self, keys: Sequence[Any]) -> str:
        sign = "<" if self._wanted.descending else ">"
        given = [
            self._given(name, key) for name, key in zip(self._layout.shape.key, keys, strict=True)
        ]
        return f"({', '.join(self._key_names())}) {sign} ({', '.join(given)})"


_SIGNS = {Comparison.IS: "=", Comparison.FROM: ">=", Comparison.TO: "<="}


def _place(after: str, length: int) -> list[Any] | None:
    """What `place_of` wrote; None where there is nothing, or nothing of ours."""
    try:
        found = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (ValueError, binascii.Error):
        return None
    fits = isinstance(found, list) and len(found) == length
    return found if fits and all(map(_can_be_asked, found)) else None


def _can_be_asked(value: Any) -> bool:
    """Whether a database takes the value at all: no larger number, no half of a character."""
    match value:
        case int():
            return abs(value) <= _LARGEST
        case str():
            return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value)
    return value is None or isinstance(value, float)
