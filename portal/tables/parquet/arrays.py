"""Values of a column as an array of Arrow, exactly."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from arro3.core import Array, DataType, Field, RecordBatch, Schema

from portal.tables.parquet.kinds import Kind, ParquetColumn
from portal.tabular.canonical import text_of
from portal.tabular.fields import Value

_SHORT = 38  # digits of a decimal of 128 bits
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (of clocks without a zone)
_EPOCH_UTC = _EPOCH.replace(tzinfo=UTC)
_DAY = _EPOCH.toordinal()
_TICK = timedelta(microseconds=1)


def schema_of(columns: Sequence[ParquetColumn]) -> Schema:
    """The schema of a file with these columns."""
    return Schema([Field(column.name, _type(column), nullable=True) for column in columns])


class Packing:
    """Makes rows into batches of one schema; `zone` is what bare moments are told in."""

    def __init__(self, columns: Sequence[ParquetColumn], *, zone: tzinfo) -> None:
        self.schema = schema_of(columns)
        self._columns = columns
        self._zone = zone

    def batch(self, rows: Sequence[Sequence[Value]]) -> RecordBatch:
        """The batch of these rows; there is at least one."""
        turned = zip(*rows, strict=True)
        arrays = [
            self._array(column, values)
            for column, values in zip(self._columns, turned, strict=True)
        ]
        return RecordBatch.from_arrays(arrays, schema=self.schema)

    def _array(self, column: ParquetColumn, values: Sequence[Value]) -> Array:
        if column.kind is Kind.MOMENT:
            ticks = [None if value is None else self._ticks(value) for value in values]
            return Array(ticks, DataType.int64()).cast(_TICKS).cast(_type(column))
        found = _PACKERS[column.kind](values, _type(column))
        if found.null_count != values.count(None):
            raise OverflowError(f"a value of {column.name} does not fit its type")
        return found

    def _ticks(self, value: Any) -> int:
        known = value if value.tzinfo else value.replace(tzinfo=self._zone)
        return int((known - _EPOCH_UTC) // _TICK)


_TICKS = DataType.timestamp("us")
_PLAIN: Final[Mapping[Kind, DataType]] = {
    Kind.TEXT: DataType.string(),
    Kind.INTEGER: DataType.int64(),
    Kind.FLOAT: DataType.float64(),
    Kind.BOOLEAN: DataType.bool(),
    Kind.DATE: DataType.date32(),
    Kind.DATETIME: _TICKS,
    Kind.MOMENT: DataType.timestamp("us", tz="UTC"),
}


def _type(column: ParquetColumn) -> DataType:
    if column.kind is not Kind.DECIMAL:
        return _PLAIN[column.kind]
    make = DataType.decimal128 if column.digits <= _SHORT else DataType.decimal256
    return make(column.digits, column.scale)


def _plain(values: Sequence[Value], kind: DataType) -> Array:
    return Array(values, kind)


def _texts(values: Sequence[Value], kind: DataType) -> Array:
    return Array([None if value is None else text_of(value) for value in values], kind)


def _decimals(values: Sequence[Value], kind: DataType) -> Array:
    return _texts(values, DataType.string()).cast(kind)


def _floats(values: Sequence[Any], kind: DataType) -> Array:
    return Array([None if value is None else float(value) for value in values], kind)


def _dates(values: Sequence[Any], kind: DataType) -> Array:
    days = [None if value is None else date.toordinal(value) - _DAY for value in values]
    return Array(days, DataType.int32()).cast(kind)


def _datetimes(values: Sequence[Any], kind: DataType) -> Array:
    ticks = [None if value is None else (value - _EPOCH) // _TICK for value in values]
    return Array(ticks, DataType.int64()).cast(kind)


_PACKERS: Final[Mapping[Kind, Callable[[Sequence[Any], DataType], Array]]] = {
    Kind.TEXT: _texts,
    Kind.INTEGER: _plain,
    Kind.DECIMAL: _decimals,
    Kind.FLOAT: _floats,
    Kind.BOOLEAN: _plain,
    Kind.DATE: _dates,
    Kind.DATETIME: _datetimes,
}
