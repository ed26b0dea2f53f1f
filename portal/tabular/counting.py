"""How many rows delimited text has: a line is a row, unless a quote or the like stands in it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from portal.tabular.dialect import Dialect
from portal.tabular.lines import Lines

_NEVER = "\0"  # no line has it


class UncountableError(Exception):
    """Only reading row by row can tell, for there is something wrong with a row."""


def count_lines(lines: Lines, dialect: Dialect, *, cell: int) -> Iterator[int]:
    """Yield how many rows were counted so far, all of them at the end.

    Raises UncountableError, `csv.Error` or BrokenLineError where a row cannot be read, or may have
    a cell of more than `cell` characters.
    """
    counter = _Counter(lines, dialect, cell=cell)
    yield from counter.count()
    yield counter.rows


class _Counter:
    """How far the counting is: `rows` in so many lines, and the place in the block at hand."""

    def __init__(self, lines: Lines, dialect: Dialect, *, cell: int) -> None:
        self.rows = 0
        self._lines, self._dialect, self._cell = lines, dialect, cell
        self._is_odd = _oddness(dialect, cell)
        self._marks = _marks(dialect)
        self._blocks: Iterator[Iterable[str]] = lines.blocks()
        self._block: Sequence[str] = ()
        self._at = 0

    def count(self) -> Iterator[int]:
        """Yield how many rows there are up to the end of a block."""
        while self._has_more():
            block = self._block
            for place in self._odd(block):
                if block is self._block and place >= self._at:
                    self._pass(place - self._at)
                    self._read()
            if block is self._block:
                self._pass(len(block) - self._at)
            yield self.rows

    def _has_more(self) -> bool:
        while self._at == len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block, self._at = list(block), 0
        return True

    def _odd(self, block: Sequence[str]) -> Sequence[int]:
        """The places of lines that may be no row, or not alone."""
        text = "".join(block)
        if not any(mark in text for mark in self._marks) and len(max(block, key=len)) <= self._cell:
            return ()
        return [place for place, line in enumerate(block) if self._is_odd(line)]

    def _pass(self, count: int) -> None:
        """Take so many lines as rows."""
        self.rows += count
        self._at += count
        self._lines.row_line += count

    def _read(self) -> None:
        """Take the row that begins here, however many lines it has."""
        reader: Any = self._dialect.reader(self._singly())
        if max(map(len, next(reader)), default=0) > self._cell:
            raise UncountableError
        self.rows += 1
        self._lines.row_line += reader.line_num

    def _singly(self) -> Iterator[str]:
        while self._has_more():
            self._at += 1
            yield self._block[self._at - 1]


def _oddness(dialect: Dialect, cell: int) -> Callable[[str], bool]:
    """Whether a line may be no row of its own."""
    quote, delimiter = dialect.quote, re.escape(dialect.delimiter)
    if not dialect.doubled or dialect.skip_space:
        marks = _marks(dialect)
        return lambda line: len(line) > cell or any(mark in line for mark in marks)
    if not quote:
        return lambda line: len(line) > cell
    sign = re.escape(quote)
    one = rf"(?:[^{sign}{delimiter}\r\n]*|{sign}[^{sign}\r\n]*{sign})"
    is_whole = re.compile(rf"{one}(?:{delimiter}{one})*(?:\r\n?|\n)?").fullmatch
    return lambda line: len(line) > cell or (quote in line and not is_whole(line))


def _marks(dialect: Dialect) -> tuple[str, str]:
    """The characters that lines have which are no row of their own."""
    return dialect.quote or _NEVER, _NEVER if dialect.doubled else "\\"
