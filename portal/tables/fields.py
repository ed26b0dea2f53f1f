"""A table's columns as the fields of a processor: types, limits, choices, defaults. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from portal.tables.expressions import choices_in, literal
from portal.tables.natural_keys import Reference, references_of
from portal.tables.shapes import ColumnShape, Made, TableShape
from portal.tabular.fields import Choice, Field, FieldType, Value

_WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_SQLITE_WHOLE = 2**63  # whatever the type is called, sqlite.org/datatype3.html
EXACT_DIGITS = 15  # so many decimal digits a double, and SQLite's NUMERIC, gives back unchanged
_FLOAT_DIGITS = {"real": 6}


def fields_of(shape: TableShape, tables: Mapping[str, TableShape]) -> tuple[Field, ...]:
    """The fields that rows of a file can give to `shape`, in the order of its columns.

    Formulas and binary columns are left out. A column that refers to another table is a
    REFERENCE, given by that table's own word.
    """
    references = references_of(shape, tables)
    choices = _choices(shape)
    unique = {unique.columns[0] for unique in shape.uniques if len(unique.columns) == 1}
    return tuple(
        replace(
            _field(column, references.get(column.name), choices.get(column.name, ())),
            primary=column.name in shape.primary_key,
            unique=column.name in unique,
        )
        for column in shape.columns
        if column.made is not Made.BY_FORMULA and not is_binary(column)
    )


def identities_of(shape: TableShape) -> tuple[tuple[str, ...], ...]:
    """How a row is found: by the primary key, or by any unique columns that are never empty."""
    strict = [unique.columns for unique in shape.uniques if shape.is_strict(unique)]
    keys = [shape.primary_key] if shape.primary_key else []
    return tuple(dict.fromkeys((*keys, *strict)))


def adapted_to(shape: TableShape, name: str) -> str:
    """What the import tools before Portal call the type of a column; empty for plain text."""
    column = next((one for one in shape.columns if one.name == name), None)
    if column is None:
        return ""
    if choices := _choices(shape).get(name):
        listed = ", ".join(f"'{choice}'" for choice in choices)
        return f"enum({listed})"
    if isinstance(column.type, types.Float):
        return "float"
    kind = _type(column, None, ())
    return str(kind) if kind in _ADAPTED else ""


def is_binary(column: ColumnShape) -> bool:
    """Say whether the column holds bytes, which no cell can."""
    return isinstance(column.type, types.LargeBinary)


def _field(column: ColumnShape, reference: Reference | None, choices: tuple[str, ...]) -> Field:
    kind = _type(column, reference, choices)
    lowest, highest = _bounds(column) if kind is FieldType.INTEGER else (None, None)
    digits, scale = _digits(column) if kind is FieldType.DECIMAL else (None, None)
    return Field(
        name=column.name,
        type=kind,
        help=_help(column, reference),
        required=not column.nullable and column.made is Made.BY_NOBODY,
        default=_default(column, kind),
        choices=tuple(Choice(value=choice) for choice in choices),
        max_length=getattr(column.type, "length", None) if kind is FieldType.TEXT else None,
        digits=digits,
        scale=scale,
        minimum=lowest,
        maximum=highest,
        refers_to="" if reference is None else reference.table,
    )


def _type(column: ColumnShape, reference: Reference | None, choices: tuple[str, ...]) -> FieldType:
    if reference is not None:
        return FieldType.REFERENCE
    if choices:
        return FieldType.CHOICE
    of_type = column.type
    if isinstance(of_type, types.ARRAY):
        is_text = isinstance(of_type.item_type, types.String)
        return FieldType.LIST if is_text else FieldType.TEXT
    for known, kind in _TYPES:
        if isinstance(of_type, known):
            return kind
    return FieldType.TEXT


_ADAPTED = frozenset(
    {
        FieldType.BOOLEAN,
        FieldType.INTEGER,
        FieldType.DECIMAL,
        FieldType.DATE,
        FieldType.DATETIME,
    }
)
_TYPES = (
    (types.Boolean, FieldType.BOOLEAN),
    (types.Integer, FieldType.INTEGER),
    ((types.Numeric, types.Float), FieldType.DECIMAL),
    (types.DateTime, FieldType.DATETIME),
    (types.Date, FieldType.DATE),
)


def _choices(shape: TableShape) -> dict[str, tuple[str, ...]]:
    found = {}
    for column in shape.columns:
        if isinstance(column.type, (types.Enum, postgresql.ENUM)):
            found[column.name] = tuple(column.type.enums)
    texts = {c.name.casefold(): c.name for c in shape.columns if isinstance(c.type, types.String)}
    for check in shape.checks:
        listed = choices_in(check.sql)
        if listed is not None and listed[0].casefold() in texts:
            found.setdefault(texts[listed[0].casefold()], listed[1])
    return found


def _bounds(column: ColumnShape) -> tuple[int, int]:
    size = _WHOLE.get(column.cast, _SQLITE_WHOLE)
    return -size, size - 1


def _digits(column: ColumnShape) -> tuple[int | None, int | None]:
    """How many digits come back as they were written; SQLite and floats keep fifteen."""
    if isinstance(column.type, types.Float):
        return _FLOAT_DIGITS.get(column.cast, EXACT_DIGITS), None
    digits = getattr(column.type, "precision", None)
    scale = getattr(column.type, "scale", None)
    if not column.cast:
        digits = min(digits or EXACT_DIGITS, EXACT_DIGITS)
    return digits, (scale or 0) if getattr(column.type, "precision", None) else None


def _default(column: ColumnShape, kind: FieldType) -> Value:
    said = literal(column.default) if column.made is Made.BY_DEFAULT else None
    if said is None:
        return None
    try:
        return _DEFAULTS[kind](said) if kind in _DEFAULTS else None
    except (ValueError, ArithmeticError):
        return None


_DEFAULTS: dict[FieldType, Callable[[str], Value]] = {
    FieldType.TEXT: str,
    FieldType.CHOICE: str,
    FieldType.INTEGER: int,
    FieldType.DECIMAL: Decimal,
    FieldType.BOOLEAN: lambda said: said.lower() in ("true", "t", "1"),
}


def _help(column: ColumnShape, reference: Reference | None) -> str:
    parts = [column.comment] if column.comment else []
    if reference is not None:
        parts.append(f"{reference.word.name} of a row of {reference.table}")
    return ": ".join(parts)
