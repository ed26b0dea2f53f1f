"""The lines of a text: split at \\n, \\r and \\r\\n only, read from a file in small blocks."""

import codecs
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

from portal.tabular.encoding import ENCODINGS, suggestion
from portal.tabular.formulas import may_be_marked
from portal.tabular.table import Limits

BLOCK = 65_536
_OTHER_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # those of str.splitlines, not of files
_MARK = "\ufeff"
_NEAR = 2_000


class BrokenLineError(Exception):
    """The next line cannot be read: `message` says why, `before` is its text up to there.

    `too_long`: it is the row that has grown too long.
    """

    def __init__(self, message: str, before: str, *, too_long: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.before = before
        self.too_long = too_long


def split_lines(text: str) -> Iterable[str]:
    """Return the lines of `text` with their ends; a form feed or the like ends none."""
    if any(end in text for end in _OTHER_LINE_ENDS):
        return io.StringIO(text, newline="")
    return text.splitlines(keepends=True)


class Lines:
    """The lines of an open file, to be gone through once.

    Raises BrokenLineError at a byte that is not of the encoding, at a NUL, and where more than
    `limits.row` characters go by while `row_line` stands still: whoever makes rows of the lines
    sets it to the line in which the row begins. If `marks` are looked for, `marked`
    tells that the lines so far may hold cells that are marked for spreadsheets.
    """

    def __init__(
        self, stream: IO[bytes], encoding: str, *, limits: Limits, marks: bool = False
    ) -> None:
        self.row_line = 1
        self.marked = False
        self._marks = marks
        self._stream = stream
        self._encoding = encoding
        self._limits = limits
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def __iter__(self) -> Iterator[str]:
        """The lines, each with its end as it stands; the last may have none."""
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[Iterable[str]]:
        """Blocks of whole lines. Parts of one that is not whole are held back."""
        held: list[str] = []
        row_line, size = self.row_line, 0
        for text, fault in self._texts():
            if self.row_line != row_line:
                row_line, size = self.row_line, 0
            if size > self._limits.row:
                raise BrokenLineError("", "".join(held), too_long=True)
            size += len(text)
            cut = _end_of_last_line(text)
            if cut:
                whole = "".join([*held, text[:cut]])
                self._look_for_marks(whole)
                held = [text[cut:]]
                yield split_lines(whole)
            else:
                held.append(text)
            if fault:
                raise BrokenLineError(fault, "".join(held))
        last = "".join(held)
        self._look_for_marks(last)
        yield split_lines(last)

    def _look_for_marks(self, text: str) -> None:
        if self._marks and not self.marked:
            self.marked = may_be_marked(text)

    def _texts(self) -> Iterator[tuple[str, str]]:
        """Decoded text, not ending in a \\r to which a \\n may belong; and the fault behind it."""
        waiting, first = "", True
        while True:
            block = self._stream.read(BLOCK)
            text, fault = self._decode(block)
            text = waiting + text
            if first and text:
                text, first = text.removeprefix(_MARK), False
            waiting = "\r" if text.endswith("\r") and block and not fault else ""
            yield text[: len(text) - len(waiting)], fault
            if not block:
                return

    def _decode(self, block: bytes) -> tuple[str, str]:
        """Decode as much of `block` as can be, and say why no more."""
        fault = ""
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            text, fault = self._before(error, block), _undecodable(error, self._encoding)
        if "\0" in text:
            text, fault = text[: text.index("\0")], _NUL
        return text, fault

    def _before(self, error: UnicodeDecodeError, block: bytes) -> str:
        kept = len(self._decoder.getstate()[0])
        try:
            return self._decoder.decode(block[: max(0, error.start - kept)])
        except UnicodeDecodeError:
            return ""


_NUL = (
    "A NUL character stands here, which no text has. "
    "If the file is UTF-16, choose that as its encoding."
)


def _undecodable(error: UnicodeDecodeError, encoding: str) -> str:
    byte = error.object[error.start]
    near = error.object[max(0, error.start - _NEAR) : error.end + _NEAR]
    better = suggestion(near, besides=encoding)
    return (
        f"The byte {byte:02X} (hexadecimal) cannot stand here in {ENCODINGS[encoding]}. Choose "
        f"another encoding for the file{better and f', probably {better}'}, or repair the line."
    )


def _end_of_last_line(text: str) -> int:
    return max(text.rfind("\n"), text.rfind("\r")) + 1
