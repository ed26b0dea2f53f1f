"""One column of a batch: what its cells say, with rules or without."""

from collections.abc import Sequence
from typing import TypeAlias

from portal.tabular.cells import CellError
from portal.tabular.converters import converter_for
from portal.tabular.fields import Field, FieldType
from portal.tabular.markers import MARKERS, Outcome, marker_outcomes
from portal.tabular.transforms import Transform

Cells: TypeAlias = Sequence[str]
_NOT_PLAIN = (ValueError, LookupError, ArithmeticError)
_UNTRIMMED = frozenset({FieldType.TEXT, FieldType.REFERENCE})


class Column:
    """The cells of one field as they are, without rules but for whether they are trimmed."""

    def __init__(
        self, position: int, field: Field, *, creating: bool, identity: bool, trim: bool = True
    ) -> None:
        self.position, self.name = position, field.name
        self._converter = converter_for(field)
        self._trim = trim or field.type not in _UNTRIMMED
        self._markers = marker_outcomes(field, creating=creating, identity=identity)

    def outcome(self, cell: str) -> Outcome:
        """What one cell says."""
        text = cell.strip() if self._trim else cell
        return self._markers[text] if text in self._markers else self._value(text)

    def outcomes(self, cells: Cells) -> tuple[Sequence[Outcome], Sequence[int]]:
        """What all `cells` of this column say, and the places of those that may be no values."""
        plain = self._converter.strict or not self._trim
        texts = cells if plain else list(map(str.strip, cells))
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
            return error.bare()


class RuledColumn:
    """A column whose texts a transform puts right first."""

    def __init__(self, column: Column, transform: Transform) -> None:
        self.position, self.name = column.position, column.name
        self._column, self._transform = column, transform

    def outcome(self, cell: str) -> Outcome:
        """What one cell says."""
        try:
            text = self._transform.one(cell)
        except CellError as error:
            return error.bare()
        return self._column.outcome(text)

    def outcomes(self, cells: Cells) -> tuple[Sequence[Outcome], Sequence[int]]:
        """What all `cells` of this column say, and the places of those that may be no values."""
        texts, errors = self._transform.many(cells)
        found, odd = self._column.outcomes(texts)
        if not errors:
            return found, odd
        told = [errors.get(place, outcome) for place, outcome in enumerate(found)]
        return told, sorted({*odd, *errors})
