"""Which cells stand in quotes in a text, and writing rows with the same ones in quotes."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO, TypeAlias

from portal.tabular.dialect import LINE_ENDS, QUOTINGS, Dialect
from portal.tabular.lines import split_lines

_FIGURE = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_JUDGED_ROWS = 300


Prepare: TypeAlias = Callable[[Sequence[str]], Sequence[str]]


class _Bare(str):
    """Text that `csv` takes for a number, and so leaves without quotes where it can."""

    __slots__ = ()

    def __float__(self) -> float:
        """Never asked: that it is here makes a number of it (PyNumber_Check)."""
        return 0.0


def row_writer(
    stream: TextIO, dialect: Dialect, *, quoting: str, line_end: str
) -> tuple[Any, Prepare | None]:
    """Return a csv.writer, and what each row has to go through before it, if anything."""
    options = dialect.options() | {"lineterminator": line_end}
    if not dialect.quote:
        return csv.writer(stream, **options), _no_lone_empty
    if quoting == "all" or dialect.skip_space:
        return csv.writer(stream, **options | {"quoting": csv.QUOTE_ALL}), None
    if quoting == "minimal" and dialect.doubled:
        return csv.writer(stream, **options), None
    writer = csv.writer(stream, **options | {"quoting": csv.QUOTE_NONNUMERIC})
    if quoting == "text":
        return writer, _bare_figures
    needed = re.compile(f"[{re.escape(dialect.delimiter + dialect.quote)}\\r\\n\\0]")
    return writer, lambda cells: [cell if needed.search(cell) else _Bare(cell) for cell in cells]


def find_habits(text: str, dialect: Dialect) -> tuple[str, str]:
    """Return the line end and the quoting (one of QUOTINGS) that most rows of a text have."""
    ends: Counter[str] = Counter()
    likes: Counter[str] = Counter(dict.fromkeys(QUOTINGS, 0))
    for raw, cells in _raw_rows(text, dialect):
        end = next((end for end in LINE_ENDS if raw.endswith(end)), "")
        ends[end] += 1
        for quoting in QUOTINGS:
            likes[quoting] += bool(cells) and _written(cells, dialect, quoting, end) == raw
    del ends[""]
    line_end = ends.most_common(1)[0][0] if ends else "\r\n"
    return line_end, max(QUOTINGS, key=lambda quoting: likes[quoting])


def _raw_rows(text: str, dialect: Dialect) -> Iterator[tuple[str, list[str]]]:
    """The first rows, each as it stands and as its cells, up to one that is broken."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in split_lines(text):
            taken.append(line)
            yield line

    reader = dialect.reader(lines())
    for _ in range(_JUDGED_ROWS):
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        yield "".join(taken), cells
        taken.clear()


def _written(cells: list[str], dialect: Dialect, quoting: str, end: str) -> str:
    stream = io.StringIO(newline="")
    writer, prepare = row_writer(stream, dialect, quoting=quoting, line_end="\r\n")
    try:
        writer.writerow(prepare(cells) if prepare else cells)
    except csv.Error:
        return ""
    return stream.getvalue().removesuffix("\r\n") + end


def _bare_figures(cells: Sequence[str]) -> list[str]:
    return [_Bare(cell) if _FIGURE.fullmatch(cell) else cell for cell in cells]


def _no_lone_empty(cells: Sequence[str]) -> Sequence[str]:
    """Without quotes one empty cell is written as an empty line, and so is none."""
    return cells if len(cells) != 1 or cells[0] else ()
