"""What the columns of a table are in Parquet: by their type, as far as their values keep to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sqlalchemy import types

from portal.tables.layout import Layout
from portal.tables.shapes import ColumnShape
from portal.tabular.canonical import text_of
from portal.tabular.fields import Field, FieldType, Value

MOST_DIGITS = 76  # of Parquet's decimals, as Arrow knows them
_WHOLE = 2**63
_NOTHING = type(None)


class Kind(StrEnum):
    """A type of Parquet. A moment is told in UTC, whatever the zone of the portal."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    MOMENT = "moment"


_OF_FIELDS: Final = {
    FieldType.INTEGER: Kind.INTEGER,
    FieldType.DECIMAL: Kind.DECIMAL,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
}
_TYPES: Final[Mapping[Kind, frozenset[type]]] = {
    Kind.INTEGER: frozenset({int}),
    Kind.DECIMAL: frozenset({int, Decimal}),
    Kind.FLOAT: frozenset({int, Decimal, float}),
    Kind.BOOLEAN: frozenset({bool}),
    Kind.DATE: frozenset({date}),
    Kind.DATETIME: frozenset({datetime}),
    Kind.MOMENT: frozenset({datetime}),
}


@dataclass(frozen=True, kw_only=True)
class ParquetColumn:
    """A column of the file; a decimal has so many `digits`, `scale` of them after the point."""

    name: str
    kind: Kind
    digits: int = 0
    scale: int = 0


def columns_of(layout: Layout) -> tuple[ParquetColumn, ...]:
    """The columns of a table as they are by their types; a decimal without limits has no digits."""
    return tuple(_column(field, layout.shape.column(field.name)) for field in layout.fields)


class Watch:
    """Goes through the values of a column; one of whose values does not keep to the type is text.

    SQLite takes any value into any column, and PostgreSQL has numbers that are none.
    """

    def __init__(self, column: ParquetColumn) -> None:
        self._name = column.name
        self._kind = column.kind
        self._before, self._scale = column.digits - column.scale, column.scale

    def add(self, values: Sequence[Value]) -> int:
        """Look at more values; returns about how many bytes they take."""
        filled = [value for value in values if value is not None] if None in values else values
        types_seen = set(map(type, filled))
        if self._kind is not Kind.TEXT and not self._keeps(filled, types_seen):
            self._kind = Kind.TEXT
        if self._kind is not Kind.TEXT:
            return 8 * len(values)
        return sum(map(len, filled if types_seen <= {str} else map(text_of, filled)))  # type: ignore[arg-type]

    def column(self) -> ParquetColumn:
        """The column that all values fit into."""
        if self._kind is not Kind.DECIMAL:
            return ParquetColumn(name=self._name, kind=self._kind)
        digits = max(self._before + self._scale, 1)
        return ParquetColumn(name=self._name, kind=self._kind, digits=digits, scale=self._scale)

    def _keeps(self, values: Sequence[Value], types_seen: set[type]) -> bool:
        if not types_seen <= _TYPES[self._kind]:
            return False
        check = _CHECKS.get(self._kind)
        if check is not None:
            return check(values)
        return self._kind is not Kind.DECIMAL or self._counts(values)

    def _counts(self, values: Sequence[Value]) -> bool:
        """Take in how many digits numbers have; false where one is none, or has too many."""
        for value in values:
            _, digits, exponent = Decimal(value).as_tuple()  # type: ignore[arg-type]  # a number
            if not isinstance(exponent, int):
                return False
            self._scale = max(self._scale, -exponent)
            self._before = max(self._before, len(digits) + exponent)
        return self._before + self._scale <= MOST_DIGITS


def _small(values: Sequence[Value]) -> bool:
    return all(-_WHOLE <= value < _WHOLE for value in values)  # type: ignore[operator]  # integers


def _bare(values: Sequence[Value]) -> bool:
    return not any(value.tzinfo for value in values)  # type: ignore[union-attr]  # times


_CHECKS: Final[Mapping[Kind, Callable[[Sequence[Value]], bool]]] = {
    Kind.INTEGER: _small,
    Kind.DATETIME: _bare,
}


def _column(field: Field, column: ColumnShape) -> ParquetColumn:
    kind = _OF_FIELDS.get(field.type, Kind.TEXT)
    if kind is Kind.DECIMAL and isinstance(column.type, types.Float):
        kind = Kind.FLOAT
    if kind is Kind.DATETIME and getattr(column.type, "timezone", False):
        kind = Kind.MOMENT
    digits = getattr(column.type, "precision", None) or 0
    if kind is not Kind.DECIMAL or digits > MOST_DIGITS:
        return ParquetColumn(name=field.name, kind=kind)
    scale = getattr(column.type, "scale", None) or 0
    return ParquetColumn(name=field.name, kind=kind, digits=max(digits, scale), scale=max(scale, 0))
