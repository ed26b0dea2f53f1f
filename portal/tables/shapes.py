"""What a table of the tables database looks like: columns, keys, rules. Pure facts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.types import TypeEngine


class Made(StrEnum):
    """Who gives a column its value where a row does not."""

    BY_NOBODY = ""
    BY_DEFAULT = "default"  # a DEFAULT clause
    BY_COUNTER = "counter"  # a sequence, an identity column, SQLite's rowid
    BY_FORMULA = "formula"  # GENERATED ALWAYS AS (…); nobody may write it


@dataclass(frozen=True, kw_only=True)
class ColumnShape:
    """A column. `declared` is its type in the database's words, `cast` its type without limits.

    `default` is SQL text. `counter` names the sequence, where there is one with a name.
    """

    name: str
    type: TypeEngine[Any]
    declared: str
    cast: str
    nullable: bool
    made: Made = Made.BY_NOBODY
    default: str | None = None
    counter: str | None = None
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class Unique:
    """Columns whose values together occur once."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule that every row keeps, as SQL."""

    name: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """Columns that name a row of `table` by its columns `targets`."""

    name: str
    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]
    deferrable: bool = False


@dataclass(frozen=True, kw_only=True)
class TableShape:
    """A table as it stands in the database now."""

    name: str
    columns: tuple[ColumnShape, ...]
    primary_key: tuple[str, ...] = ()
    uniques: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str = ""

    def column(self, name: str) -> ColumnShape:
        """The column called `name`; raises KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which a row is found again: the primary key, else a strict unique."""
        if self.primary_key:
            return self.primary_key
        return next((unique.columns for unique in self.uniques if self.is_strict(unique)), ())

    def is_strict(self, unique: Unique) -> bool:
        """Say whether no column of `unique` may be empty, so that it names every row."""
        return not any(self.column(name).nullable for name in unique.columns)

    def foreign_key_of(self, column: str) -> ForeignKey | None:
        """The foreign key that consists of this column alone."""
        return next((key for key in self.foreign_keys if key.columns == (column,)), None)
