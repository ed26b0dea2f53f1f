"""The row below a template's header that says what each column takes; its words are
rex.tabular_import's. Pure.
"""

from collections.abc import Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Final

from portal.tabular.fields import Field, FieldType

_TYPES: Final = MappingProxyType(
    {
        FieldType.INTEGER: "Integer",
        FieldType.DECIMAL: "Decimal",
        FieldType.BOOLEAN: "One of: true, false",
        FieldType.DATE: "Date (YYYY-MM-DD)",
        FieldType.DATETIME: "Date & Time (YYYY-MM-DD HH:MM:SS)",
        FieldType.LIST: "List (a; b; c)",
        FieldType.EMAIL: "E-mail Address",
        FieldType.PHONE: "Phone Number (country-area-number)",
    }
)
_CHOICES_SHOWN = 50


def help_row(fields: Sequence[Field]) -> list[str]:
    """What each of `fields` takes; empty for a text of any kind."""
    return [describe(field) for field in fields]


def describe(field: Field) -> str:
    """What a column takes, such as `Primary Key; Required (Has Default); Integer`."""
    parts = ["Primary Key" if field.primary else "", _need(field)]
    parts += ["Unique" if field.unique and not field.primary else "", _type(field)]
    return "; ".join(part for part in parts if part)


def is_help_row(cells: Sequence[str], fields: Sequence[Field | None]) -> bool:
    """Whether `cells` are just what `help_row` says of the columns' fields.

    Columns without a field do not count, nor do empty cells that are missing at the end.
    """
    if len(cells) > len(fields):
        return False
    pairs = [
        (cell.strip(), describe(field))
        for cell, field in zip_longest(cells, fields, fillvalue="")
        if isinstance(field, Field)
    ]
    return all(cell == text for cell, text in pairs) and any(text for _, text in pairs)


def _need(field: Field) -> str:
    has_default = field.default is not None
    if field.primary and not field.required:
        return "Required (Has Default)"
    if field.required:
        return "Required (Has Default)" if has_default else "Required"
    return "Has Default Value" if has_default else ""


def _type(field: Field) -> str:
    if field.type is FieldType.CHOICE:
        return _choices([choice.value for choice in field.choices])
    if field.type is FieldType.REFERENCE:
        return (
            f"An Identifier from the {field.refers_to} table" if field.refers_to else "Identifier"
        )
    if field.type is FieldType.TEXT and field.max_length:
        return f"At most {field.max_length} characters"
    return _TYPES.get(field.type, "")


def _choices(values: Sequence[str]) -> str:
    more = len(values) - _CHOICES_SHOWN
    listed = ", ".join(values[:_CHOICES_SHOWN])
    return f"One of: {listed}" + (f" and {more:,} more" if more > 0 else "")
