"""`python -m portal.tabular.sheets.child REQUEST`: reads the spreadsheet that is its stdin.

REQUEST is JSON. To stdout goes one frame with the names of the sheets; or one with the header,
some with rows, or with how many there are so far, and one that says it was all. An error may stand
in place of each.
"""

import gc
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from portal.tabular.sheets import biff, ods, xls, xlsx
from portal.tabular.sheets.book import Book, choose, visible_names
from portal.tabular.sheets.confinement import confine
from portal.tabular.sheets.content import HEAD, check_parts, check_signature, check_streams
from portal.tabular.sheets.errors import damaged
from portal.tabular.sheets.frames import OUT_OF_MEMORY, frame, frames_of_rows
from portal.tabular.sheets.layout import Layout, Stretch, lay_out
from portal.tabular.sheets.package import open_package
from portal.tabular.table import Limits, TableError

_ROWS_PER_FRAME = 500
_ROWS_PER_COUNT = 5_000
_CHARACTERS_PER_FRAME = 65_536


def main(request: dict[str, Any], source: IO[bytes], target: IO[bytes]) -> int:
    """Answer the request; return the exit status.

    Whatever a hostile file makes a parser raise, panics of foreign code too, is this file's fault.
    """
    try:
        for frames in _answers(request, source):
            target.write(frames)
    except TableError as error:
        fault = {"error": error.message, "line": error.line, "column": error.column}
        target.write(frame(fault))
    except MemoryError:
        return OUT_OF_MEMORY
    except BaseException as error:
        target.write(frame({"error": damaged(type(error).__name__).message}))
    target.flush()
    return 0


def _answers(request: dict[str, Any], source: IO[bytes]) -> Iterator[bytes]:
    with _open_book(source, request["kind"]) as book:
        if request["wanted"] == "names":
            yield frame({"names": visible_names(book.sheets)})
            return
        limits = Limits(**request["limits"])
        sheet = choose(book.sheets, request["sheet"])
        layout = lay_out(book.rows(sheet, columns=limits.columns), limits)
        yield frame({"header": layout.header, "line": layout.line})
        count = request["wanted"] == "count"
        yield from _counted(layout) if count else _framed(layout.below)
        yield frame({"end": True})


@contextmanager
def _open_book(source: IO[bytes], kind: str) -> Iterator[Book]:
    head = source.read(HEAD)
    check_signature(head, kind)
    source.seek(0)
    if head.startswith(biff.SIGNATURE):
        data = source.read()
        streams = biff.streams(data)
        check_streams(streams, kind)
        yield xls.Workbook(data, streams)
        return
    with open_package(source) as package:
        check_parts(package.names(), kind)
        yield xlsx.Workbook(package) if kind == "xlsx" else ods.Workbook(package)


def _counted(layout: Layout) -> Iterator[bytes]:
    """Say how many rows there are so far, blank ones included, and at the end how many in all."""
    counted = told = 0
    for stretch in layout.below:
        counted = stretch.lines[-1] - layout.line
        if counted - told >= _ROWS_PER_COUNT:
            told = counted
            yield frame({"counted": counted})
    yield frame({"counted": counted})


def _framed(stretches: Iterator[Stretch]) -> Iterator[bytes]:
    """Gather rows of one width until they are many, or long."""
    lines: list[int] = []
    texts: list[str] = []
    width = characters = 0
    for stretch in stretches:
        full = len(lines) >= _ROWS_PER_FRAME or characters > _CHARACTERS_PER_FRAME
        if lines and (full or stretch.width != width):
            yield frames_of_rows(lines, texts, width=width)
            lines, texts, characters = [], [], 0
        width = stretch.width
        lines += stretch.lines
        texts += stretch.texts
        characters += sum(map(len, stretch.texts))
    if lines:
        yield frames_of_rows(lines, texts, width=width)


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    confine(**order.pop("confine"))
    gc.disable()  # nothing that is made for each row refers to itself; looking for it costs a tenth
    sys.exit(main(order, sys.stdin.buffer, sys.stdout.buffer))
