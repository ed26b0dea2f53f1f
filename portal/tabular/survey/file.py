"""A whole file gone through once for what its columns hold."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from portal.tabular.formats import Format
from portal.tabular.markers import is_no_field
from portal.tabular.reading import open_table
from portal.tabular.survey.columns import ColumnFacts, ColumnSurvey
from portal.tabular.table import Row

AT_ONCE = 1_000
WATCHED = 32  # columns that may turn out to name the rows


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a file holds: how many rows that are not blank, and what is in its columns.

    `ragged` rows have cells too many or too few, and were left out of the columns; `first_ragged`
    is the number of the first one.
    """

    rows: int
    ragged: int = 0
    first_ragged: int | None = None
    columns: tuple[ColumnFacts, ...]

    def as_json(self) -> dict[str, Any]:
        """What `from_json` makes the same survey of."""
        return {
            "rows": self.rows,
            "ragged": self.ragged,
            "first_ragged": self.first_ragged,
            "columns": [column.as_json() for column in self.columns],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The survey that `as_json` gave."""
        columns = tuple(map(ColumnFacts.from_json, said["columns"]))
        return cls(**{**said, "columns": columns})


def survey(
    path: Path, fmt: Format, *, folder: Path, told: Callable[[int], None] = lambda _rows: None
) -> Survey:
    """Go through the file at `path`; `told` hears how many rows so far.

    Memory stays the same however many rows there are; what is needed besides lies in `folder`,
    which is the caller's alone. Raises TableError where the file cannot be read to its end.
    """
    counts = _Counts()
    with open_table(path, fmt) as table, ExitStack() as stack:
        columns = _columns(table.header, folder, stack, spreadsheet=fmt.kind != "csv")
        for rows in _portions(table.rows):
            even = counts.sift(rows, width=len(columns))
            for column, cells in zip(columns, zip(*even, strict=True), strict=bool(even)):
                column.add(cells)
            told(counts.seen)
        return Survey(
            rows=counts.rows,
            ragged=counts.ragged,
            first_ragged=counts.first_ragged,
            columns=tuple(column.facts() for column in columns),
        )


class _Counts:
    """Rows that are blank, ragged or fine."""

    def __init__(self) -> None:
        self.seen = self.rows = self.ragged = 0
        self.first_ragged: int | None = None

    def sift(self, rows: Sequence[Row], *, width: int) -> list[list[str]]:
        """The cells of those rows that are fine."""
        self.seen += len(rows)
        filled = [row for row in rows if any(map(str.strip, row[2]))]
        even = [row[2] for row in filled if len(row[2]) == width]
        self.rows += len(filled)
        if len(even) < len(filled):
            self.ragged += len(filled) - len(even)
            first = next(row[0] for row in filled if len(row[2]) != width)
            self.first_ragged = self.first_ragged or first
        return even


def _columns(
    header: Sequence[str], folder: Path, stack: ExitStack, *, spreadsheet: bool
) -> list[ColumnSurvey]:
    columns = []
    for number, name in enumerate(map(str.strip, header)):
        watched = number < WATCHED and name and not is_no_field(name)
        path = folder / f"distinct-{number}" if watched else None
        if path is not None:
            path.unlink(missing_ok=True)
        column = ColumnSurvey(name, watched=path, spreadsheet=spreadsheet)
        stack.callback(column.close)
        columns.append(column)
    return columns


def _portions(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while portion := list(islice(rows, AT_ONCE)):
        yield portion
