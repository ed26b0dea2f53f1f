"""The lines of a text: split at \\n, \\r and \\r\\n only, read from a file in small blocks."""

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

from portal.tabular.decoding import BLOCK, Fault, decoded
from portal.tabular.formulas import may_be_marked
from portal.tabular.table import Limits

_OTHER_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # those of str.splitlines, not of files


class BrokenLineError(Exception):
    """The next line cannot be read: `before` is its text up to the `fault`.

    Where there is none, the row has grown too long.
    """

    def __init__(self, before: str, fault: Fault | None = None) -> None:
        super().__init__()
        self.before = before
        self.fault = fault


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
        self,
        stream: IO[bytes],
        encoding: str,
        *,
        limits: Limits,
        marks: bool = False,
        block: int = BLOCK,
    ) -> None:
        self.row_line = 1
        self.marked = False
        self._marks = marks
        self._stream = stream
        self._encoding = encoding
        self._limits = limits
        self._block = block

    def __iter__(self) -> Iterator[str]:
        """The lines, each with its end as it stands; the last may have none."""
        return chain.from_iterable(self.blocks())

    def blocks(self) -> Iterator[Iterable[str]]:
        """Blocks of whole lines. Parts of one that is not whole are held back."""
        held: list[str] = []
        row_line, size = self.row_line, 0
        for text, fault in decoded(self._stream, self._encoding, block=self._block):
            if self.row_line != row_line:
                row_line, size = self.row_line, 0
            if size > self._limits.row:
                raise BrokenLineError("".join(held))
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
                raise BrokenLineError("".join(held), fault)
        last = "".join(held)
        self._look_for_marks(last)
        yield split_lines(last)

    def _look_for_marks(self, text: str) -> None:
        if self._marks and not self.marked:
            self.marked = may_be_marked(text)


def _end_of_last_line(text: str) -> int:
    return max(text.rfind("\n"), text.rfind("\r")) + 1
