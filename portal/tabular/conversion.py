"""Cells become values: compiled once for a batch, then a row or many rows at a time."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from portal.tabular.cells import CellError
from portal.tabular.converters import converter_for
from portal.tabular.fields import Field, Values
from portal.tabular.markers import MARKERS, Keep, Outcome, marker_outcomes
from portal.tabular.row_maker import RowMaker, row_maker

Cells: TypeAlias = Sequence[str]
_CHUNK = 64
_NOT_PLAIN = (ValueError, LookupError, ArithmeticError)


class RowErrors(Exception):  # noqa: N818 - it carries all errors of a row
    """A row has no values. `errors` has the texts by field; the field "" is the whole row."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {field: list(texts) for field, texts in errors.items()}
        super().__init__(self.errors)

    def __str__(self) -> str:
        """All errors in one line."""
        return error_line(self.errors)


def error_line(errors: Mapping[str, Sequence[str]]) -> str:
    """The errors of a row in one line, `field: text; field: text / text`."""
    parts = ((field, " / ".join(text.rstrip(".") for text in errors[field])) for field in errors)
    return "; ".join(f"{field}: {text}" if field else text for field, text in parts)


class Conversion:
    """How the rows of one batch become values.

    `columns` names the field of each cell, None where the cell is ignored. With `creating` a row
    must give every required field of those columns that has no default; fields of `identity` it
    must always give. Values lack what the row leaves alone and have None for what it clears.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        columns: Sequence[str | None],
        *,
        creating: bool,
        identity: Sequence[str] = (),
    ) -> None:
        named = {field.name: field for field in fields}
        taken = [name for name in columns if name is not None]
        if len(set(taken)) < len(taken) or not named.keys() >= set(taken):
            raise ValueError(f"columns name a field twice, or one that is not there: {taken}")
        self._width = len(columns)
        self._columns = [
            _Column(position, named[name], creating=creating, identity=name in identity)
            for position, name in enumerate(columns)
            if name is not None
        ]
        self._make_rows: RowMaker[Outcome] = row_maker(taken)

    def convert(self, cells: Cells) -> Values:
        """The values of one row; raise RowErrors with every error in it."""
        if len(cells) != self._width:
            raise self._ragged(cells)
        found = {column.name: column.outcome(cells[column.position]) for column in self._columns}
        settled = _settled(found)
        if isinstance(settled, RowErrors):
            raise settled
        return settled

    def convert_many(self, rows: Sequence[Cells]) -> list[Values | RowErrors]:
        """For each of `rows` what `convert` returns or raises; several times faster."""
        results: list[Values | RowErrors] = []
        for start in range(0, len(rows), _CHUNK):
            results += self._chunk(rows[start : start + _CHUNK])
        return results

    def _chunk(self, rows: Sequence[Cells]) -> list[Values | RowErrors]:
        even = [cells for cells in rows if len(cells) == self._width]
        results = self._even(even)
        if len(even) == len(rows):
            return results
        left = iter(results)
        return [next(left) if len(c) == self._width else self._ragged(c) for c in rows]

    def _even(self, rows: Sequence[Cells]) -> list[Values | RowErrors]:
        """Column by column, for there most of the work is one call for all cells."""
        if not rows or not self._columns:
            return [{} for _ in rows]
        cells = list(zip(*rows, strict=True))
        answers = [column.outcomes(cells[column.position]) for column in self._columns]
        by_row = zip(*(outcomes for outcomes, _ in answers), strict=True)
        found = self._make_rows(by_row)
        results = cast(list[Values | RowErrors], found)
        for row in set().union(*(odd for _, odd in answers)):
            results[row] = _settled(found[row])
        return results

    def _ragged(self, cells: Cells) -> RowErrors:
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        return RowErrors({"": [f"Row has {count}, the header has {self._width}."]})


class _Column:
    def __init__(self, position: int, field: Field, *, creating: bool, identity: bool) -> None:
        self.position, self.name = position, field.name
        self._converter = converter_for(field)
        self._markers = marker_outcomes(field, creating=creating, identity=identity)

    def outcome(self, cell: str) -> Outcome:
        """What one cell says."""
        text = cell.strip()
        return self._markers[text] if text in self._markers else self._value(text)

    def outcomes(self, cells: Cells) -> tuple[Sequence[Outcome], Sequence[int]]:
        """What all `cells` of this column say, and the places of those that may be no values."""
        texts = cells if self._converter.strict else list(map(str.strip, cells))
        if self._converter.strict or MARKERS.isdisjoint(texts):
            values = self._together(texts)
            if values is not None:
                return values, ()
        return self._apart(cells, texts)

    def _apart(self, cells: Cells, texts: Cells) -> tuple[Sequence[Outcome], Sequence[int]]:
        """Look at odd cells alone, and at the others together again if that will do."""
        odd = sorted(
            {n for n, text in enumerate(texts) if text in MARKERS}.union(self._converter.odd(texts))
        )
        rest = list(texts)
        for place in reversed(odd):
            del rest[place]
        values = self._together(rest) if rest else ()
        if values is None:
            found = list(map(self.outcome, cells))
            return found, range(len(found))
        found = list(values)
        for place in odd:
            found.insert(place, self.outcome(cells[place]))
        return found, odd

    def _together(self, texts: Cells) -> Sequence[Outcome] | None:
        try:
            return self._converter.many(texts)
        except _NOT_PLAIN:
            return None

    def _value(self, text: str) -> Outcome:
        try:
            return self._converter.one(text)
        except CellError as error:
            return error


def _settled(found: Mapping[str, Outcome]) -> Values | RowErrors:
    """The values in `found` without what is left alone, or its errors."""
    values: Values = {}
    errors: dict[str, list[str]] = {}
    for name, outcome in found.items():
        if isinstance(outcome, CellError):
            errors[name] = [outcome.message]
        elif not isinstance(outcome, Keep):
            values[name] = outcome
    return RowErrors(errors) if errors else values
