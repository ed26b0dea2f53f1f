"""What rows of a table are asked for, and what writes them: the port to the two databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from portal.errors import ConflictError
from portal.tables.shapes import Check, ColumnShape

Column = Sequence[Any]  # the values of one column, one for each row


@dataclass(frozen=True, kw_only=True)
class Question:
    """Rows of `table` (called t) whose `match` columns are as `asked`, column by column.

    `chosen` and `joins` are SQL; with `lock` nobody else changes the rows before the commit.
    """

    table: str
    match: tuple[ColumnShape, ...]
    asked: Sequence[Column]
    chosen: tuple[str, ...]
    joins: str = ""
    lock: bool = False


class Rows(Protocol):
    """Reading and writing many rows in few statements. Values are encoded already."""

    def look_up(self, session: Session, question: Question) -> list[tuple[Any, ...]]:
        """The rows found; each begins with its place in what was asked, counted from 0."""
        ...

    def pack(self, values: Sequence[Column]) -> Any:
        """Rows, given column by column, as `insert` takes them; the database is not asked."""
        ...

    def some(self, packed: Any, taken: Sequence[int]) -> Any:
        """Those of the packed rows that are `taken`: there is a number for each, 0 or 1."""
        ...

    def insert(self, session: Session, columns: Sequence[str], packed: Sequence[Any]) -> None:
        """Add all rows that were `packed`; their values are in the order of `columns`."""
        ...

    def update(
        self,
        session: Session,
        keys: Sequence[Column],
        columns: Sequence[str],
        values: Sequence[Column],
    ) -> None:
        """Change the rows with these keys; raises GoneError where one is not there."""
        ...

    def delete(self, session: Session, keys: Sequence[Column]) -> None:
        """Remove the rows with these keys; raises GoneError where one is not there."""
        ...

    def breaking(
        self, session: Session, check: Check, columns: Sequence[str], values: Sequence[Column]
    ) -> list[int]:
        """The places of those rows, given column by column, that break `check`.

        Nothing is kept of them. The database's own errors come out where it cannot be asked.
        """
        ...

    def make_up(self, session: Session, column: ColumnShape, count: int) -> list[Any]:
        """What the database would give to `column` of the next `count` rows."""
        ...

    def count_on(self, session: Session, column: ColumnShape, highest: int) -> None:
        """Let the column's counter go on behind `highest`, if it is not there yet."""
        ...


class GoneError(ConflictError):
    """A row that was found a moment ago is not there any more."""


def check_met(met: int, wanted: int) -> None:
    """Raise GoneError unless as many rows were met as there should be."""
    if met != wanted:
        raise GoneError("A row was removed by somebody else in the meantime.")
