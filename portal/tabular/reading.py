"""Files of rows as streams: a row at a time, its number and line beside it, in little memory."""

import csv
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from portal.tabular.counting import UncountableError, count_lines
from portal.tabular.decoding import MARK
from portal.tabular.dialect import after_sep_line
from portal.tabular.faults import column_at_end, find_fault
from portal.tabular.formats import Format
from portal.tabular.formulas import restore_row
from portal.tabular.lines import BrokenLineError, Lines
from portal.tabular.opening import open_stored
from portal.tabular.spreadsheets import count_sheet, open_sheet
from portal.tabular.table import LIMITS, Limits, Preview, Row, Table, TableError, check_header

PREVIEW_ROWS = 50
_COUNTED_AT_ONCE = 500
_LONG = "The row is longer than is allowed; perhaps its line end, or a closing quote, is missing."
_one_at_a_time = threading.Lock()


@contextmanager
def open_table(
    path: Path, fmt: Format, *, limits: Limits = LIMITS, restore: bool = True
) -> Iterator[Table]:
    """Open a file of rows: the first line that is not blank is the header, the rest are the rows.

    Cells are as written. Only what `formulas.mark` marked for a spreadsheet is restored, unless
    `restore` is False. TableError, also from the rows, says what cannot be read, and where.
    """
    with _opened(path, fmt, limits=limits, restore=restore) as table:
        check_header(table.header, line=table.header_line, limits=limits)
        yield table


def count(path: Path, fmt: Format, *, limits: Limits = LIMITS) -> Generator[int]:
    """Yield how many rows were counted so far, blank ones included, the last time all of them.

    Raises TableError where `open_table` or its rows would.
    """
    if fmt.kind != "csv":
        yield from count_sheet(path, fmt, limits=limits)
        return
    with open_table(path, fmt, limits=limits) as table:
        first_is_header = table.header_line == 1
    try:
        if first_is_header:
            yield from _count_quickly(path, fmt, limits=limits)
            return
    except (UncountableError, csv.Error, BrokenLineError):
        pass
    yield from _count_read(path, fmt, limits=limits)


def _count_quickly(path: Path, fmt: Format, *, limits: Limits) -> Generator[int]:
    """`count` where nothing is wrong with the rows, and the first is the header."""
    with open_stored(path) as stream:
        lines = Lines(stream, fmt.encoding, limits=limits)
        for rows in count_lines(lines, fmt.dialect, cell=limits.cell):
            yield rows - 1


def _count_read(path: Path, fmt: Format, *, limits: Limits) -> Generator[int]:
    """`count` by reading all rows, which explains what is wrong."""
    with open_table(path, fmt, limits=limits) as table:
        counted = 0
        while some := sum(1 for _ in islice(table.rows, _COUNTED_AT_ONCE)):
            counted += some
            yield counted


def preview(
    path: Path, fmt: Format, *, rows: int = PREVIEW_ROWS, limits: Limits = LIMITS
) -> Preview:
    """Return the first rows of a file, as many as `rows`; no more of the file is read than that.

    What cannot be read is no error here: the preview ends before it, and says what it is.
    """
    header: list[str] = []
    shown: list[Row] = []
    fault, whole = None, False
    try:
        with _opened(path, fmt, limits=limits, restore=True) as table:
            header = table.header[: limits.columns]
            check_header(table.header, line=table.header_line, limits=limits)
            shown.extend(islice(table.rows, rows))
            whole = next(table.rows, None) is None
    except TableError as error:
        fault = error
    return Preview(header=tuple(header), rows=tuple(shown), whole=whole, fault=fault)


@contextmanager
def _opened(path: Path, fmt: Format, *, limits: Limits, restore: bool) -> Iterator[Table]:
    if fmt.kind != "csv":
        with open_sheet(path, fmt, limits=limits) as table:
            yield table
        return
    with open_stored(path) as stream:
        yield _Reading(path, stream, fmt, limits=limits, restore=restore).table()


class _Reading:
    """Going through a file of delimited text once."""

    def __init__(
        self, path: Path, stream: IO[bytes], fmt: Format, *, limits: Limits, restore: bool
    ) -> None:
        self._path = path
        self._fmt = fmt
        self._limits = limits
        self._lines = Lines(stream, fmt.encoding, limits=limits, marks=restore)
        self._reader: Any = None
        self._first_line = 1

    def table(self) -> Table:
        """Read as far as the header."""
        lines = iter(self._lines)
        if self._fmt.sep_line:
            self._take_sep_line(lines)
        self._reader = self._fmt.dialect.reader(lines)
        for _, line, cells in self._rows():
            cells[:1] = [cell.lstrip(MARK) for cell in cells[:1]]
            if any(cell.strip() for cell in cells):
                return Table(header=cells, rows=self._data(), header_line=line)
        raise TableError("The file is empty; its first line must name the columns.")

    def _take_sep_line(self, lines: Iterator[str]) -> None:
        try:
            first = next(lines, "")
        except BrokenLineError as error:
            raise TableError(error.fault.explained() if error.fault else _LONG, 1) from None
        if not after_sep_line(first)[0]:
            raise TableError("The first line is not one such as “sep=;”, as was chosen.", 1)
        self._first_line = 2

    def _data(self) -> Iterator[Row]:
        if _allow_cells_of(self._limits.cell) > self._limits.cell:
            return self._with_short_cells()
        return self._rows()

    def _rows(self) -> Iterator[Row]:
        """The rows from here on. This is the loop that all rows go through: keep it small."""
        lines, reader, first, number = self._lines, self._reader, self._first_line, 0
        line = lines.row_line = reader.line_num + first
        try:
            for cells in reader:
                if lines.marked:
                    cells = restore_row(cells)  # noqa: PLW2901 (one of two names costs time)
                number += 1
                yield number, line, cells
                line = lines.row_line = reader.line_num + first
        except (csv.Error, BrokenLineError) as error:
            raise self._explained(error, line) from None

    def _with_short_cells(self) -> Iterator[Row]:
        """The rows, where `csv` itself takes longer cells than are allowed here."""
        limit = self._limits.cell
        for row in self._rows():
            for column, cell in enumerate(row[2], start=1):
                if len(cell) > limit:
                    message = f"The cell is longer than {limit:,} characters, the most allowed."
                    raise TableError(message, row[1], column)
            yield row

    def _explained(self, error: csv.Error | BrokenLineError, line: int) -> TableError:
        """Say what is wrong with the row that begins in `line`, from reading it once more."""
        text = self._again_from(line)
        if isinstance(error, BrokenLineError) and error.fault:
            here = self._reader.line_num + self._first_line
            column = column_at_end(text, self._fmt.dialect)
            return TableError(error.fault.explained(), here, column)
        found = find_fault(text, self._fmt.dialect, line=line, cell=self._limits.cell)
        return found or TableError(str(error) or _LONG, line)

    def _again_from(self, line: int) -> str:
        """Return the text from `line` on, as far as it can be read, and no longer than a row."""
        parts: list[str] = []
        with open_stored(self._path) as stream:
            source = Lines(stream, self._fmt.encoding, limits=self._limits)
            try:
                for number, text in enumerate(source, start=1):
                    if number < line:
                        source.row_line = number
                    else:
                        parts.append(text)
            except BrokenLineError as error:
                parts.append(error.before)
        return "".join(parts)


def _allow_cells_of(size: int) -> int:
    """Let `csv` take cells of `size`, and return what it takes.

    The limit is one for the whole process. It is only ever raised, for whoever else reads at the
    moment may need what it is.
    """
    with _one_at_a_time:
        if csv.field_size_limit() < size:
            csv.field_size_limit(size)
        return csv.field_size_limit()
