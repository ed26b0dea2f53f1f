"""What reading a file of rows gives: a header, a stream of rows, or an error that says where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from portal.errors import InvalidError

Row: TypeAlias = tuple[int, int, list[str]]


class TableError(InvalidError):
    """A file cannot be read as a table. `line` and `column` count from 1, None where none is meant.

    `column` is the number of the cell in its row. `message` is the sentence without the place.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """The message, led by the place where there is one."""
        if self.line is None:
            return self.message
        place = f"Line {self.line:,}"
        if self.column is not None:
            place += f", column {self.column:,}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest that is read: `cell` and `row` in characters, `columns` of the header.

    A row, its quoted line ends included, is what stands in memory at once; a line cannot be longer
    than a row.
    """

    cell: int = 1_048_576
    row: int = 8_388_608
    columns: int = 1_024


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A header and its rows, to be gone through once.

    Each row is (its number, counted from 1 after the header; the line of the file, or the row of
    the sheet, where it begins; its cells as written). Blank and ragged rows are there as they are.
    """

    header: list[str]
    rows: Iterator[Row]
    header_line: int = 1


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The first rows of a table, or as far as they can be read: then `fault` says why not on."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    whole: bool
    fault: TableError | None = None


def check_header(header: list[str], *, line: int, limits: Limits = LIMITS) -> None:
    """Raise TableError if the header has too many columns, or names one twice.

    Columns without a name, and those whose name begins with `--`, may stand more than once.
    """
    if len(header) > limits.columns:
        message = f"The header has {len(header):,} columns; at most {limits.columns:,} are read."
        raise TableError(message, line, limits.columns + 1)
    seen: set[str] = set()
    for column, name in enumerate((cell.strip() for cell in header), start=1):
        if name in seen:
            message = "Double headers: each column name may only appear once."
            raise TableError(message, line, column)
        if name and not name.startswith("--"):
            seen.add(name)
