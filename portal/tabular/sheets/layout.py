"""Where the table lies in a sheet: its header, the columns below it, and nothing around. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.tabular.sheets.book import SheetRow
from portal.tabular.table import Limits, TableError


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The header, the row of the sheet where it stands, and (row of the sheet, cells) below it."""

    line: int
    header: list[str]
    rows: Iterator[SheetRow]


def lay_out(rows: Iterable[SheetRow], limits: Limits) -> Layout:
    """Take the first row that holds anything as header; empty columns to its left are not read.

    Cells are as many as the header has, filled up with empty ones, or more where more hold
    something. Rows without anything are left out. Raises TableError, also while the rows are gone
    through: for a sheet without anything, for a cell to the left of the header, which would be
    lost, and for what is over the limits.
    """
    source = iter(rows)
    line, cells = next((row for row in source if any(map(str.strip, row[1]))), (0, []))
    if not cells:
        raise TableError("The sheet is empty: it has no header and no rows.")
    _check_each(line, cells, limits)
    first = next(place for place, cell in enumerate(cells) if cell.strip())
    header = _trimmed(cells[first:], 0)
    return Layout(line=line, header=header, rows=_below(source, first, len(header), limits))


def _below(
    source: Iterator[SheetRow], first: int, width: int, limits: Limits
) -> Iterator[SheetRow]:
    most = min(limits.cell, limits.row)
    for line, cells in source:
        text = "".join(cells)
        if not text:
            continue
        if len(text) > most or "\0" in text:
            _check_each(line, cells, limits)
        if first and any(cells[:first]):
            column = next(place for place, cell in enumerate(cells, start=1) if cell)
            raise TableError("A cell stands left of the header and would be lost.", line, column)
        below = cells[first:] if first else cells
        if len(below) > width:
            below = _trimmed(below, width)
        elif len(below) < width:
            below.extend([""] * (width - len(below)))
        yield line, below


def _trimmed(cells: list[str], least: int) -> list[str]:
    end = len(cells)
    while end > least and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _check_each(line: int, cells: list[str], limits: Limits) -> None:
    for column, cell in enumerate(cells, start=1):
        if len(cell) > limits.cell:
            message = f"The cell has {len(cell):,} characters; at most {limits.cell:,} are read."
            raise TableError(message, line, column)
        if "\0" in cell:
            raise TableError("The cell holds a NUL character, which no text has.", line, column)
    if sum(map(len, cells)) > limits.row:
        raise TableError(f"The row has more than {limits.row:,} characters.", line)
