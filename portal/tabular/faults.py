"""Where exactly a row goes wrong that `csv` has given up on."""

import re

from portal.tabular.dialect import Dialect
from portal.tabular.table import TableError

_LINE_END = re.compile(r"\r\n|\r|\n")


def find_fault(text: str, dialect: Dialect, *, line: int, cell: int) -> TableError | None:
    """Return what is wrong with the row at the beginning of `text`, which is line `line`.

    That is: a cell of more than `cell` characters, something behind a closing quote, or a quote
    that is not closed before `text` ends. The time is linear in the row.
    """
    at, column = 0, 1
    while True:
        end, fault = _end_of_cell(text, at, dialect, cell)
        if fault:
            place = end if fault == _STRAY else at
            return TableError(fault, line + _line_ends(text, place), column)
        if text[end : end + 1] != dialect.delimiter:
            return None
        at, column = end + 1, column + 1


def column_at_end(text: str, dialect: Dialect) -> int:
    """Return the number of the cell in which `text`, the beginning of a row, ends."""
    at, column = 0, 1
    while True:
        end, _ = _end_of_cell(text, at, dialect, len(text))
        if text[end : end + 1] != dialect.delimiter:
            return column
        at, column = end + 1, column + 1


_UNCLOSED = (
    "The quote that opens here is never closed. Close it, or choose a format without quotes."
)
_STRAY = (
    "Behind the closing quote stands something else. A quote inside a quoted cell must be doubled."
)


def _end_of_cell(text: str, at: int, dialect: Dialect, cell: int) -> tuple[int, str]:
    """Return where the cell at `at` ends, and what is wrong with it."""
    begin = at
    if dialect.skip_space:
        begin = at + len(text[at:]) - len(text[at:].lstrip(" "))
    if not dialect.quote or text[begin : begin + 1] != dialect.quote:
        end = _find(text, at, f"[{re.escape(dialect.delimiter)}\\r\\n]", dialect)
        return end, _too_long(text[at:end], dialect, cell)
    end = _closing_quote(text, begin + 1, dialect)
    if fault := _too_long(text[begin + 1 : end], dialect, cell):
        return end, fault
    if end == len(text):
        return end, _UNCLOSED
    stray = text[end + 1 : end + 2] not in ("", "\r", "\n", dialect.delimiter)
    return end + 1, _STRAY if stray else ""


def _find(text: str, at: int, pattern: str, dialect: Dialect) -> int:
    """Return where `pattern` is found that is not behind a backslash, or the end."""
    skipped = "" if dialect.doubled else r"\\.|"
    for found in re.compile(f"{skipped}({pattern})", re.DOTALL).finditer(text, at):
        if found.group(1):
            return found.start()
    return len(text)


def _closing_quote(text: str, at: int, dialect: Dialect) -> int:
    quote = re.escape(dialect.quote)
    while True:
        end = _find(text, at, f"{quote}{quote}|{quote}", dialect)
        if text[end : end + 2] != dialect.quote * 2:
            return end
        at = end + 2


def _too_long(raw: str, dialect: Dialect, cell: int) -> str:
    """Say so if the cell that stands as `raw` has too many characters."""
    if len(raw) <= cell:
        return ""
    length = len(raw) - raw.count(dialect.quote * 2 if dialect.quote else "\\")
    if length <= cell:
        return ""
    also = " Perhaps the quote that opens it is never closed." if "\n" in raw or "\r" in raw else ""
    return f"The cell is longer than {cell:,} characters, the most allowed.{also}"


def _line_ends(text: str, end: int) -> int:
    return sum(1 for _ in _LINE_END.finditer(text, 0, end))
