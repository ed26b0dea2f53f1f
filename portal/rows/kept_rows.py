"""Rows put by as bytes: a tenth of the room of their cells, given back as they were."""

import marshal
from array import array
from collections.abc import Iterable, Iterator, Sequence

from portal.rows.fates import Prepared
from portal.tabular.table import Row

SLICE = 500  # rows; their cells are still in the processor's cache when they are converted
_TOGETHER = 50  # rows in one piece of bytes, of which often one is wanted; a part of SLICE


class KeptRows:
    """Rows that follow each other in a file, by their place, counted from 0."""

    def __init__(self) -> None:
        self._first = 1
        self._lines = array("Q")
        self._parts: list[bytes] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)

    def put(self, rows: Sequence[Row]) -> None:
        """Put rows by that follow those that are here: SLICE of them, or the last ones."""
        if not self._lines:
            self._first = rows[0][0]
        self._lines.extend([line for _, line, _ in rows])
        cells = [cells for _, _, cells in rows]
        starts = range(0, len(cells), _TOGETHER)
        self._parts += [marshal.dumps(cells[start : start + _TOGETHER]) for start in starts]

    def number(self, place: int) -> int:
        """The number of a row in its file."""
        return self._first + place

    def numbers(self, places: Iterable[int]) -> list[int]:
        """The numbers of rows in their file."""
        return [self._first + place for place in places]

    def lines(self, places: Iterable[int]) -> list[int]:
        """The lines at which rows begin in their file."""
        return list(map(self._lines.__getitem__, places))

    def bare(self, place: int) -> Prepared:
        """A row without its cells, as the end of a range."""
        return Prepared(self.number(place), self._lines[place], (), None, None)

    def whole(self, places: Sequence[int]) -> Iterator[Prepared]:
        """The rows at `places`, which are in order."""
        opened, cells = -1, []
        for place in places:
            if place // _TOGETHER != opened:
                opened = place // _TOGETHER
                cells = marshal.loads(self._parts[opened])  # noqa: S302 - made by `put`
            row = self.bare(place)
            yield row._replace(cells=cells[place % _TOGETHER])
