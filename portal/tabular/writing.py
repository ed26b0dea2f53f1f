"""Rows written as a file of a given format: the same encoding, delimiter, quotes and line ends."""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO, Any

from portal.errors import InvalidError
from portal.tabular.encoding import ENCODINGS
from portal.tabular.formats import Format
from portal.tabular.formulas import mark_row
from portal.tabular.quoting import Prepare, row_writer

_ANY_END = "\r\n\0"  # as the end of a row, it makes `csv` quote every cell with one of the three
_FIRST_ROWS = 16
_MOST_ROWS = 256
_AIM = 65_536  # characters written at once


class TableWriter:
    """Writes rows to a binary stream. Nothing is held back between calls; the stream stays open.

    Where the file is for spreadsheets, cells that one would compute are marked (see `formulas`).
    InvalidError, naming the row (the header is row 1), where the format cannot hold a cell: what
    was written before it stands.
    """

    def __init__(self, stream: IO[bytes], fmt: Format, *, for_spreadsheets: bool = False) -> None:
        self._stream = stream
        self._fmt = fmt
        self._marks = for_spreadsheets
        self._encoder = codecs.getincrementalencoder(fmt.encoding)()
        self._text = io.StringIO(newline="")
        self._writer, self._prepare = self._row_writer(fmt.line_end)
        self._careful_writer, _ = self._row_writer(_ANY_END)
        self._other_ends = set("\r\n").difference(fmt.line_end)
        self._rows = 0
        self._at_once = _FIRST_ROWS
        self._start()

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        self.write_many([cells])

    def write_many(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows as they come; those drawn before an error of their source are written."""
        source = iter(rows)
        if self._marks:
            source = map(mark_row, source)
        if self._prepare:
            source = map(self._prepare, source)
        while True:
            drawn: list[Sequence[str]] = []
            try:
                drawn.extend(islice(source, self._at_once))  # keeps what came before an error
            finally:
                self._write_all(drawn)
            if not drawn:
                return

    def _row_writer(self, line_end: str) -> tuple[Any, Prepare | None]:
        fmt = self._fmt
        return row_writer(self._text, fmt.dialect, quoting=fmt.quoting, line_end=line_end)

    def _start(self) -> None:
        if self._fmt.bom:
            self._stream.write(self._encoder.encode("\ufeff"))
        if self._fmt.sep_line:
            line = f"sep={self._fmt.delimiter}{self._fmt.line_end}"
            self._stream.write(self._encoder.encode(line))

    def _write_all(self, rows: list[Sequence[str]]) -> None:
        try:
            text = self._formed(rows)
            self._stream.write(self._encoder.encode(text))
        except (csv.Error, _NulError, UnicodeEncodeError):
            self._write_singly(rows)
            return
        self._rows += len(rows)
        self._at_once = max(1, min(_MOST_ROWS, self._at_once * _AIM // (len(text) or 1)))

    def _write_singly(self, rows: list[Sequence[str]]) -> None:
        for cells in rows:
            self._rows += 1
            try:
                self._stream.write(self._encoder.encode(self._formed([cells])))
            except (csv.Error, _NulError, UnicodeEncodeError) as error:
                raise InvalidError(f"Row {self._rows:,} {self._why(error)}") from error

    def _formed(self, rows: list[Sequence[str]]) -> str:
        """Return the text of the rows; where cells have other line ends, it is made with care."""
        text = self._made_by(self._writer, rows)
        if "\0" in text:
            raise _NulError
        if any(end in text for end in self._other_ends):
            return self._made_by(self._careful_writer, rows).replace(_ANY_END, self._fmt.line_end)
        return text

    def _made_by(self, writer: Any, rows: list[Sequence[str]]) -> str:
        try:
            writer.writerows(rows)
            return self._text.getvalue()
        finally:
            self._text.seek(0)
            self._text.truncate()

    def _why(self, error: Exception) -> str:
        if isinstance(error, UnicodeEncodeError):
            char = error.object[error.start]
            name = ENCODINGS[self._fmt.encoding]
            return f"has “{char}” (U+{ord(char):04X}), which {name} cannot hold. Choose UTF-8."
        if isinstance(error, _NulError):
            return "has a NUL character, which no text file can hold."
        return "has the delimiter or a line end in a cell; choose a format that has quotes."


class _NulError(Exception):
    """A cell has a NUL character."""
