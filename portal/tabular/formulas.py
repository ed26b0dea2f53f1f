"""Cells that a spreadsheet would compute: marked as text on the way out, restored on the way in.

Excel, LibreOffice and Google Sheets run a cell of a CSV file that begins with one of `= + - @` as
a formula, also after a tab or a line end (OWASP, CSV Injection). An apostrophe in front makes it
text. Plain negative numbers (-5, -1,234.50, -3 %) are left alone: they are read as the numbers that
they are; so are dashes only, and Portal's own `--ERRORS--` and the like, which no spreadsheet can
compute. Numbers with a plus, telephone numbers most of all, are marked: a spreadsheet would compute
them, or drop the plus.
"""

import re
from collections.abc import Sequence

STARTS = "=+-@\t\r\n\0＝＋－＠"
_BEGINS = frozenset(STARTS + "'")
_COMPUTED = re.compile(f"'*[{re.escape(STARTS)}]")
_MARKED = re.compile(f"'+[{re.escape(STARTS)}]")
_SOMEWHERE = re.compile(f"'[{re.escape(STARTS)}]")
_HARMLESS = re.compile(r"-\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?(?: ?%)?|-+|--[A-Z]+--", re.ASCII)


def mark(cell: str) -> str:
    """Return `cell` with an apostrophe in front where a spreadsheet would compute it.

    One that is marked, or looks so, is marked once more: `restore` always gives back what was.
    """
    if cell[:1] not in _BEGINS or not _COMPUTED.match(cell) or _HARMLESS.fullmatch(cell):
        return cell
    return f"'{cell}"


def restore(cell: str) -> str:
    """Undo `mark`."""
    return cell[1:] if cell[:1] == "'" and _MARKED.match(cell) else cell


def mark_row(cells: Sequence[str]) -> list[str]:
    """Return the cells of one row, each marked."""
    return [mark(cell) if cell[:1] in _BEGINS else cell for cell in cells]


def restore_row(cells: list[str]) -> list[str]:
    """Return the cells of one row, each restored."""
    return [restore(cell) if cell[:1] == "'" else cell for cell in cells]


def may_be_marked(text: str) -> bool:
    """Tell whether somewhere in `text` a marked cell may begin; False is certain."""
    return "'" in text and _SOMEWHERE.search(text) is not None
