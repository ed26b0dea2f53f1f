"""Values between cells and databases, exactly: what SQLite stores, what PostgreSQL reads as text.

PostgreSQL is given text for everything and casts it itself, so nothing is lost on the way.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import types

from portal.tables.shapes import ColumnShape
from portal.tabular.converters.moments import told_in
from portal.tabular.fields import Field, FieldType

Turn = Callable[[Any], Any]
_NATIVE = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.BOOLEAN, FieldType.LIST})
_NATIVE |= {FieldType.DATE, FieldType.DATETIME}
_BOUNDS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Codec:
    """How values of a column are written and read; None: they pass as they are.

    `as_text`: the database is to give the column as text, for Python has no such type.
    """

    encode: Turn | None = None
    decode: Turn | None = None
    as_text: bool = False


def sqlite_codec(_column: ColumnShape, field: Field, *, zone: ZoneInfo) -> Codec:
    """The codec for a column of SQLite, which knows numbers and text only."""
    if field.type is FieldType.DECIMAL:
        return Codec(encode=str, decode=_decimal(field.scale))
    if field.type is FieldType.DATETIME:
        return Codec(encode=_sqlite_time(zone), decode=_parsed(datetime.fromisoformat))
    if field.type is FieldType.DATE:
        return Codec(encode=date.isoformat, decode=_parsed(date.fromisoformat))
    if field.type is FieldType.BOOLEAN:
        return Codec(encode=int, decode=_boolean)
    if field.type is FieldType.INTEGER:
        return Codec()
    return Codec(decode=_text)


def postgresql_codec(column: ColumnShape, field: Field, *, zone: ZoneInfo) -> Codec:
    """The codec for a column of PostgreSQL."""
    if field.type is FieldType.DATETIME and _has_zone(column):
        return Codec(encode=_with_zone(zone), decode=_local(zone))
    if field.type is FieldType.DATETIME:
        return Codec(encode=_without_zone(zone), decode=None)
    if field.type is FieldType.LIST:
        return Codec(encode=_array, decode=tuple)
    if field.type in _NATIVE:
        return Codec(encode=str)
    if column.cast in ("character", "bpchar"):
        return Codec(decode=_unpadded)
    is_text = isinstance(column.type, types.String) and not isinstance(column.type, types.Enum)
    return Codec(as_text=not is_text)


def fits(column: ColumnShape, text: str) -> bool:
    """Say whether PostgreSQL can compare the column with `text`; if not it would end everything."""
    if isinstance(column.type, types.Integer):
        bound = _BOUNDS.get(column.cast, 2**63)
        return bool(_WHOLE.fullmatch(text)) and -bound <= int(text) < bound
    if isinstance(column.type, types.Uuid):
        return bool(_UUID.fullmatch(text))
    if isinstance(column.type, types.Date):
        return _is(date.fromisoformat, text)
    if isinstance(column.type, (types.Numeric, types.Float)):
        return _is(Decimal, text)
    return True


def _is(parse: Turn, text: str) -> bool:
    try:
        parse(text)
    except (ValueError, ArithmeticError):
        return False
    return True


def _decimal(scale: int | None) -> Turn:
    """SQLite gives 1.5 for 1.50; the column's scale says how it is written."""
    unit = Decimal(1).scaleb(-scale) if scale is not None else None

    def decode(value: object) -> object:
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            return str(value)
        exponent = found.as_tuple().exponent
        short = unit is not None and isinstance(exponent, int) and -exponent <= (scale or 0)
        return found.quantize(unit) if short and unit is not None else found

    return decode


def _parsed(parse: Turn) -> Turn:
    """SQLite keeps whatever was put into a column of dates; what is no date stays as it is."""

    def decode(value: object) -> object:
        try:
            return parse(str(value))
        except ValueError:
            return str(value)

    return decode


def _boolean(value: object) -> object:
    return bool(value) if isinstance(value, int) else str(value)


def _text(value: object) -> object:
    return value if isinstance(value, str) else str(value)


def _unpadded(value: str) -> str:
    return value.rstrip(" ")


def _sqlite_time(zone: ZoneInfo) -> Turn:
    return lambda value: _naive(value, zone).isoformat(" ")


def _without_zone(zone: ZoneInfo) -> Turn:
    return lambda value: _naive(value, zone).isoformat()


def _with_zone(zone: ZoneInfo) -> Turn:
    """A time without a zone means the portal's own."""
    return lambda value: (value if value.tzinfo else value.replace(tzinfo=zone)).isoformat()


def _naive(value: datetime, zone: ZoneInfo) -> datetime:
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value


def _local(zone: ZoneInfo) -> Turn:
    """As a file would say it."""
    return lambda value: told_in(value, zone)


def _has_zone(column: ColumnShape) -> bool:
    return bool(getattr(column.type, "timezone", False))


def _array(value: tuple[str, ...]) -> str:
    items = (item.replace("\\", "\\\\").replace('"', '\\"') for item in value)
    return "{" + ",".join(f'"{item}"' for item in items) + "}"
