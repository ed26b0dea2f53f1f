"""What a workbook of any kind offers, and which of its sheets is meant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from portal.tabular.table import TableError

SheetRow: TypeAlias = tuple[int, list[str]]
_SHEETS_AT_MOST = 1_000
_NAMES_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet of cells: its name, whether people see it, its place among all sheets from 0.

    `part` is the name of what holds it, where each sheet has a part of its own.
    """

    name: str
    visible: bool
    place: int
    part: str = ""


class Book(Protocol):
    """A workbook that is open."""

    sheets: list[Sheet]

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[list[SheetRow]]:
        """Yield (row as people count, cells from column A) of the rows that hold anything.

        They come as many at a time as were read, perhaps none; they only ascend. A row may have
        empty cells at its end, or nothing else. Raises TableError for a cell that holds something
        beyond the first `columns`.
        """


def visible_names(sheets: Sequence[Sheet]) -> list[str]:
    """Return the names of the sheets that people see; TableError where there are too many."""
    if len(sheets) > _SHEETS_AT_MOST:
        message = f"The workbook has {len(sheets):,} sheets; at most {_SHEETS_AT_MOST:,} are read."
        raise TableError(message)
    return [sheet.name for sheet in sheets if sheet.visible]


def choose(sheets: Sequence[Sheet], name: str) -> Sheet:
    """Return the sheet of this name, hidden or not, or without a name the first that is seen."""
    names = visible_names(sheets)
    found = next((s for s in sheets if (s.name == name if name else s.visible)), None)
    if found is not None:
        return found
    if not name:
        raise TableError("The workbook has no sheet with cells that is not hidden.")
    shown = ", ".join(names[:_NAMES_SHOWN])
    raise TableError(f"The workbook has no sheet {name!r}. It has: {shown}.")
