"""New tables: what can be one, by its names and types. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

from portal.tables.fields import EXACT_DIGITS
from portal.tables.reflection import is_own

LONGEST = 63  # bytes, where PostgreSQL cuts names off
MOST_DIGITS = 100
RESERVED: Final = frozenset(
    PGIdentifierPreparer.reserved_words | SQLiteIdentifierPreparer.reserved_words
)
_SYSTEM: Final = frozenset({"oid", "rowid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST - 1}}}")
_NAMED = "begin with a letter and have small letters a to z, digits and _ only"


class ColumnKind(StrEnum):
    """What a column of a new table holds. A moment says where on earth its clock stands."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    MOMENT = "moment"


@dataclass(frozen=True, kw_only=True)
class NewColumn:
    """A column to be; `digits` in all and `scale` after the point are a decimal's."""

    name: str
    kind: ColumnKind = ColumnKind.TEXT
    digits: int = 0
    scale: int = 0
    required: bool = False
    key: bool = False

    @property
    def said(self) -> str:
        """Its type in words, such as `decimal(10,2)`."""
        if self.kind is ColumnKind.DECIMAL:
            return f"{self.kind}({self.digits},{self.scale})"
        return str(self.kind)


@dataclass(frozen=True, kw_only=True)
class NewTable:
    """A table to be. Where no column is its key, the database numbers its rows in `numbered`."""

    name: str
    columns: tuple[NewColumn, ...]
    numbered: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        named = tuple(column.name for column in self.columns if column.key)
        return named or (self.numbered,)

    def as_json(self) -> dict[str, Any]:
        """What `from_json` makes the same of."""
        columns = [asdict(column) | {"kind": str(column.kind)} for column in self.columns]
        return {"name": self.name, "columns": columns, "numbered": self.numbered}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        columns = tuple(
            NewColumn(**{**one, "kind": ColumnKind(one["kind"])}) for one in said["columns"]
        )
        return cls(name=said["name"], columns=columns, numbered=said["numbered"])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a table to be: with a column by its place, or with all of it (None)."""

    column: int | None
    text: str


def numbered(columns: Collection[NewColumn]) -> str:
    """The name of the column that numbers the rows of a table with these; "" where it has a key."""
    if any(column.key for column in columns):
        return ""
    taken = {column.name for column in columns}
    names = ("id", "row_id", *(f"row_id_{number}" for number in range(2, len(taken) + 4)))
    return next(name for name in names if name not in taken)


def faults_of(new: NewTable, *, taken: Collection[str], dialect: str) -> list[Fault]:
    """What must be put right before the table can be made; nothing where it is fine."""
    faults = [Fault(column=None, text=text) for text in _faults_of_table(new, taken)]
    seen: set[str] = set()
    for place, column in enumerate(new.columns):
        texts = [*_faults_of_name(column.name), *_faults_of_type(column, dialect)]
        if column.name in seen:
            texts.append(f"Another column is called {column.name!r} already.")
        seen.add(column.name)
        faults += (Fault(column=place, text=text) for text in texts)
    return faults


def taken_text(name: str) -> str:
    """What is said of a name that another table has."""
    return f"There is a table or view {name!r} already; choose another name."


def _faults_of_table(new: NewTable, taken: Collection[str]) -> Iterator[str]:
    yield from _faults_of_name(new.name)
    if new.name in taken:
        yield taken_text(new.name)
    if is_own(new.name) or new.name.startswith("pg_"):
        yield f"Names like {new.name!r} are the database's own; choose another."
    if not new.columns:
        yield "All columns are left out; a table needs one."


def _faults_of_name(name: str) -> Iterator[str]:
    if not name:
        yield "Give it a name."
    elif not _NAME.fullmatch(name):
        yield f"{name!r} is no name for it: names {_NAMED}, {LONGEST} of them at most."
    elif name in RESERVED or name in _SYSTEM:
        yield f"{name!r} is a word of the database's own language; choose another."


def _faults_of_type(column: NewColumn, dialect: str) -> Iterator[str]:
    if column.kind is not ColumnKind.DECIMAL:
        return
    if not 0 <= column.scale <= column.digits or column.digits < 1:
        yield "A decimal needs at least one digit, and no more after the point than in all."
    most = EXACT_DIGITS if dialect == "sqlite" else MOST_DIGITS
    if column.digits > most:
        yield f"The database keeps {most} digits exactly; make it a text, or take fewer."
