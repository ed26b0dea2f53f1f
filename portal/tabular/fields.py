"""What a column of records may hold, as a processor or a table declares it."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int | Decimal | bool | date | datetime | tuple[str, ...] | None
Values: TypeAlias = dict[str, Value]


class FieldType(StrEnum):
    """How the text of a cell becomes a value; `tabular.conversion` has one converter for each."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    LIST = "list"
    EMAIL = "email"
    PHONE = "phone"
    REFERENCE = "reference"


class Empty(StrEnum):
    """What an empty cell means: leave the value alone, clear it, or put the default."""

    KEEP = "keep"
    CLEAR = "clear"
    DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One allowed value, and how people read it."""

    value: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A declared field: its name in headers, its type and what it allows.

    `required` means that a record cannot be without it. `synonyms` are further headers by which
    it is recognised. `max_length` counts characters; `digits` and `scale` bound a decimal. A field
    may be a part of the `primary` key, `unique` by itself, or name a record of what it `refers_to`.
    Moments that a cell writes with an offset are told in `zone`, where the records have them so.
    """

    name: str
    type: FieldType = FieldType.TEXT
    title: str = ""
    help: str = ""
    required: bool = False
    default: Value = None
    choices: tuple[Choice, ...] = ()
    synonyms: tuple[str, ...] = ()
    max_length: int | None = None
    digits: int | None = None
    scale: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    empty: Empty = Empty.KEEP
    primary: bool = False
    unique: bool = False
    refers_to: str = ""
    zone: tzinfo | None = None
