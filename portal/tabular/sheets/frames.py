"""How the process that reads a spreadsheet answers: frames, four bytes of length before each.

A frame is a JSON object. One that has `rows`, the numbers of some rows, and `width`, how many cells
each of them has, is followed by a frame with all their cells: UTF-8, parted by NUL, which no cell
holds. Neither can do more to who reads it than be wrong.
"""

import json
import struct
from collections.abc import Sequence
from typing import Any

LENGTH = struct.Struct(">I")
PARTED_BY = "\0"
OUT_OF_MEMORY = 3


def frame(answer: dict[str, Any]) -> bytes:
    """Return a frame that says something."""
    return _framed(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))


def frames_of_rows(lines: Sequence[int], cells: Sequence[str], *, width: int) -> bytes:
    """Return the two frames of some rows; `cells` are each row's, joined by PARTED_BY."""
    return frame({"rows": lines, "width": width}) + _framed(PARTED_BY.join(cells))


def _framed(text: str) -> bytes:
    body = text.encode()
    return LENGTH.pack(len(body)) + body
