"""Where the table lies in a sheet: its header, the columns below it, and nothing around. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from portal.tabular.sheets.book import SheetRow
from portal.tabular.sheets.frames import PARTED_BY
from portal.tabular.table import Limits, TableError


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Rows of one width: where they stand in the sheet, and their cells, joined by PARTED_BY."""

    lines: list[int]
    texts: list[str]
    width: int


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The header, the row of the sheet where it stands, and the rows below it."""

    line: int
    header: list[str]
    below: Iterator[Stretch]


def lay_out(rows: Iterable[list[SheetRow]], limits: Limits) -> Layout:
    """Take the first row that holds anything as header; empty columns to its left are not read.

    Cells are as many as the header has, filled up with empty ones, or more where more hold
    something. Rows without anything are left out. Raises TableError, also while the rows are gone
    through: for a sheet without anything, for a cell to the left of the header, which would be
    lost, and for what is over the limits.
    """
    source = iter(rows)
    for some in source:
        for place, (line, cells) in enumerate(some):
            if any(map(str.strip, cells)):
                _check_each(line, cells, limits)
                first = next(column for column, cell in enumerate(cells) if cell.strip())
                header = _trimmed(cells[first:], 0)
                rest = chain([some[place + 1 :]], source)
                below = _below(rest, first, len(header), limits)
                return Layout(line=line, header=header, below=below)
    raise TableError("The sheet is empty: it has no header and no rows.")


def _below(
    source: Iterable[list[SheetRow]], first: int, width: int, limits: Limits
) -> Iterator[Stretch]:
    for rows in source:
        stretch = None if first else _regular(rows, width, limits)
        if stretch is not None:
            yield stretch
            continue
        for line, cells in rows:
            if any(cells):
                below = _one(line, cells, first, width, limits)
                yield Stretch(lines=[line], texts=[PARTED_BY.join(below)], width=len(below))


def _regular(rows: list[SheetRow], width: int, limits: Limits) -> Stretch | None:
    """Return rows that need nothing done, which are nearly all; None if some may.

    They are as wide as the header, none is empty, and together they are within the limits.
    """
    if not rows or any(len(cells) != width for _, cells in rows):
        return None
    texts = [PARTED_BY.join(cells) for _, cells in rows]
    text = "".join(texts)
    parts = len(rows) * (width - 1)
    short = len(text) - parts <= min(limits.cell, limits.row)
    if not short or text.count(PARTED_BY) != parts or PARTED_BY * (width - 1) in texts:
        return None
    return Stretch(lines=[line for line, _ in rows], texts=texts, width=width)


def _one(line: int, cells: list[str], first: int, width: int, limits: Limits) -> list[str]:
    """Return the cells of a row that belong to the table."""
    _check_each(line, cells, limits)
    if first and any(cells[:first]):
        column = next(place for place, cell in enumerate(cells, start=1) if cell)
        raise TableError("A cell stands left of the header and would be lost.", line, column)
    below = _trimmed(cells[first:], width)
    return [*below, *[""] * (width - len(below))]


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
