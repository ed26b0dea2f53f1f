"""Cells become values: compiled once for a batch, then a row or many rows at a time."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias, cast

from portal.errors import InvalidError
from portal.tabular.cells import CellError
from portal.tabular.column import Column, RuledColumn
from portal.tabular.fields import Field, Value, Values
from portal.tabular.help_rows import is_help_row
from portal.tabular.markers import Keep, Outcome
from portal.tabular.row_maker import RowMaker, row_maker
from portal.tabular.rules import Rules
from portal.tabular.transforms import transform_for

Cells: TypeAlias = Sequence[str]
_CHUNK = 64
_NO_RULES: Mapping[str, Rules] = MappingProxyType({})
_NO_CONSTANTS: Mapping[str, str] = MappingProxyType({})


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

    `rules` put the texts of a field's column right before they become values. `constants` are
    texts for fields that no column gives, the same for every row; InvalidError is raised for one
    that is no value of its field. A column without rules costs no more than before.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        columns: Sequence[str | None],
        *,
        creating: bool,
        identity: Sequence[str] = (),
        rules: Mapping[str, Rules] = _NO_RULES,
        constants: Mapping[str, str] = _NO_CONSTANTS,
    ) -> None:
        named = {field.name: field for field in fields}
        taken = [name for name in columns if name is not None]
        names = [*taken, *constants]
        if len(set(names)) < len(names) or not named.keys() >= set(names):
            raise ValueError(f"columns name a field twice, or one that is not there: {names}")

        def column(position: int, name: str) -> Column | RuledColumn:
            ruled, field = rules.get(name), named[name]
            trim = ruled is None or ruled.trim
            plain = Column(position, field, creating=creating, identity=name in identity, trim=trim)
            transform = transform_for(ruled)
            return plain if transform is None else RuledColumn(plain, transform)

        self._fields = [None if name is None else named[name] for name in columns]
        self._width = len(columns)
        self._columns = [column(n, name) for n, name in enumerate(columns) if name is not None]
        self._constants: Values = {
            name: _constant(text, Column(0, named[name], creating=creating, identity=False))
            for name, text in constants.items()
        }
        self._make_rows: RowMaker[Outcome] = row_maker(names)

    def convert(self, cells: Cells) -> Values:
        """The values of one row; raise RowErrors with every error in it."""
        if len(cells) != self._width:
            raise self._ragged(cells)
        found = {column.name: column.outcome(cells[column.position]) for column in self._columns}
        settled = _settled(found | self._constants)
        if isinstance(settled, RowErrors):
            raise settled
        return settled

    def convert_many(self, rows: Sequence[Cells]) -> list[Values | RowErrors]:
        """For each of `rows` what `convert` returns or raises; several times faster."""
        results: list[Values | RowErrors] = []
        for start in range(0, len(rows), _CHUNK):
            results += self._chunk(rows[start : start + _CHUNK])
        return results

    def is_help_row(self, cells: Cells) -> bool:
        """Whether `cells` are a template's own words about its columns, and no values."""
        return is_help_row(cells, self._fields)

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
            return [self._constants.copy() for _ in rows]
        cells = list(zip(*rows, strict=True))
        answers = [column.outcomes(cells[column.position]) for column in self._columns]
        constants = ([value] * len(rows) for value in self._constants.values())
        by_row = zip(*(outcomes for outcomes, _ in answers), *constants, strict=True)
        found = self._make_rows(by_row)
        results = cast(list[Values | RowErrors], found)
        for row in set().union(*(odd for _, odd in answers)):
            results[row] = _settled(found[row])
        return results

    def _ragged(self, cells: Cells) -> RowErrors:
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        return RowErrors({"": [f"Row has {count}, the header has {self._width}."]})


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


def _constant(text: str, column: Column) -> Value:
    """The value that all rows get; raise InvalidError where `text` is none."""
    value = column.outcome(text)
    if isinstance(value, CellError):
        raise InvalidError(f"The value for all rows of '{column.name}': {value.message}.")
    if isinstance(value, Keep):
        raise InvalidError(f"Give a value for all rows of '{column.name}'.")
    return value
