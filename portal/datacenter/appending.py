"""Adding the good rows of a repaired file to those that went well before."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from portal.tabular.formats import Format, find_format
from portal.tabular.opening import open_stored
from portal.tabular.reading import open_table
from portal.tabular.table import Row
from portal.tabular.writing import TableWriter

CRLF = "\r\n"
_BLANK = b"\r\n \t\xef\xbb\xbf"
_HEAD = 64


def append(earlier: Path, later: Path, target: BinaryIO) -> None:
    """Write the rows of both files, the earlier first, in the format of the earlier with CRLF.

    The columns of the earlier keep their order, new ones follow. Where neither has a row of data,
    one line end is written. Raises TableError where one of them cannot be read.
    """
    with _opened(earlier) as (header, rows, fmt), _opened(later) as (others, more, other_fmt):
        columns = merged_columns(header, others)
        first, second = next(rows, None), next(more, None)
        if first is None and second is None:
            target.write(CRLF.encode())
            return
        encoding = fmt.encoding if fmt.encoding == other_fmt.encoding else "utf-8"
        writer = TableWriter(target, replace(fmt, encoding=encoding, line_end=CRLF))
        writer.write(columns)
        writer.write_many(_all_rows(first, rows, width=len(columns), places=None))
        places = None if others == columns else _places(columns, others)
        writer.write_many(_all_rows(second, more, width=len(columns), places=places))


def cut_off(path: Path, target: BinaryIO, *, rows: int) -> None:
    """Write the file at `path` without its last `rows` rows of data; the header stays.

    Raises TableError where it cannot be read.
    """
    with _opened(path) as (_, there, _fmt):
        keep = sum(1 for _ in there) - rows
    with _opened(path) as (header, there, fmt):
        writer = TableWriter(target, replace(fmt, line_end=CRLF))
        writer.write(header)
        writer.write_many(row[2] for row in islice(there, max(keep, 0)))


def merged_columns(header: Sequence[str], others: Sequence[str]) -> list[str]:
    """The columns of a header and those of another that it lacks; doubles count one by one."""
    has = Counter(header)
    more = []
    for name in others:
        has[name] -= 1
        if has[name] < 0:
            more.append(name)
    return [*header, *more]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Iterator[Row], Format]]:
    """Header, rows of data and format of a CSV file; one without any text has no columns."""
    with open_stored(path) as stream:
        is_blank = path.stat().st_size < _HEAD and not stream.read(_HEAD).strip(_BLANK)
    if is_blank:
        yield [], iter(()), Format(kind="csv")
        return
    fmt = find_format(path, name="rows.csv").format
    with open_table(path, fmt) as table:
        yield table.header, (row for row in table.rows if any(row[2])), fmt


def _places(columns: Sequence[str], others: Sequence[str]) -> list[int]:
    """For each column of the other file, its place among all; doubles keep their order."""
    free = {name: [at for at, column in enumerate(columns) if column == name] for name in others}
    return [free[name].pop(0) for name in others]


def _all_rows(
    first: Row | None, rest: Iterator[Row], *, width: int, places: Sequence[int] | None
) -> Iterator[list[str]]:
    if first is None:
        return
    yield _widened(first[2], width, places)
    for row in rest:
        yield _widened(row[2], width, places)


def _widened(cells: Sequence[str], width: int, places: Sequence[int] | None) -> list[str]:
    """A row in the columns of all; cells that no column names stay at its end."""
    if places is None:
        return [*cells, *[""] * (width - len(cells))]
    wide = [""] * width
    for place, cell in zip(places, cells, strict=False):
        wide[place] = cell
    return [*wide, *cells[len(places) :]]
