"""How many rows delimited text has: a line is a row, unless a quote or the like stands in it."""

from collections.abc import Iterator
from itertools import chain

from portal.tabular.dialect import Dialect
from portal.tabular.lines import Lines

_TOLD_EVERY = 500
_NEVER = "\0"  # no line has it


class UncountableError(Exception):
    """Only reading row by row can tell, for there is something wrong with a row."""


def count_lines(lines: Lines, dialect: Dialect, *, cell: int) -> Iterator[int]:
    """Yield how many rows were counted so far, all of them at the end.

    Raises UncountableError, `csv.Error` or BrokenLineError where a row cannot be read, or may have
    a cell of more than `cell` characters.
    """
    quote, escape = dialect.quote or _NEVER, _NEVER if dialect.doubled else "\\"
    flat = iter(lines)
    rows, line_number = 0, 0
    for line in flat:
        line_number += 1
        if quote in line or escape in line or len(line) > cell:
            reader = dialect.reader(chain((line,), flat))
            if max(map(len, next(reader)), default=0) > cell:
                raise UncountableError
            line_number += reader.line_num - 1  # type: ignore[attr-defined]  # it is a csv.reader
        rows += 1
        lines.row_line = line_number + 1
        if rows % _TOLD_EVERY == 0:
            yield rows
    yield rows
