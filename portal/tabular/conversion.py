"""Cells become values: compiled once for a batch, then a row or many rows at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
Answer: TypeAlias = tuple[Sequence[Outcome], Sequence[int]]
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


@dataclass(frozen=True, kw_only=True)
class ByColumn:
    """Values of many rows, column by column in the order of `names`, those of `places` alone.

    `places` are the rows, counted from 0, that say something of every name. `errors` has the
    others by place; None stands for a row that is right, but leaves something alone.
    """

    names: tuple[str, ...]
    columns: list[list[Value]]
    places: Sequence[int]
    errors: dict[int, RowErrors | None]


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
        self.names = tuple(names)
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

    def by_column(self, rows: Sequence[Cells]) -> ByColumn:
        """What `convert_many` says, without making a dictionary for each row."""
        columns: list[list[Outcome]] = [[] for _ in self._columns]
        errors: dict[int, RowErrors | None] = {}
        for start in range(0, len(rows), _CHUNK):
            self._add_to(columns, errors, rows[start : start + _CHUNK], start)
        good = len(rows) - len(errors)
        columns += ([value] * good for value in self._constants.values())
        return ByColumn(
            names=self.names,
            columns=cast(list[list[Value]], columns),
            places=[n for n in range(len(rows)) if n not in errors] if errors else range(good),
            errors=errors,
        )

    def _add_to(
        self,
        columns: list[list[Outcome]],
        errors: dict[int, RowErrors | None],
        rows: Sequence[Cells],
        start: int,
    ) -> None:
        """Add what `rows` say to `columns`; what is not a value for every name, to `errors`."""
        width = self._width
        places = [n for n, cells in enumerate(rows) if len(cells) == width]
        for n in set(range(len(rows))).difference(places) if len(places) < len(rows) else ():
            errors[start + n] = self._ragged(rows[n])
        if not places or not self._columns:
            return
        even = rows if len(places) == len(rows) else [rows[n] for n in places]
        cells = list(zip(*even, strict=True))
        answers = [column.outcomes(cells[column.position]) for column in self._columns]
        odd = {n for _, some in answers for n in some}
        wrong = [n for n in sorted(odd, reverse=True) if self._is_wrong(answers, n)]
        for n in wrong:
            errors[start + places[n]] = self._errors_at(answers, n)
        for values, (outcomes, _) in zip(columns, answers, strict=True):
            values.extend(_without(outcomes, wrong))

    def _is_wrong(self, answers: Sequence[Answer], place: int) -> bool:
        return any(isinstance(outcomes[place], (CellError, Keep)) for outcomes, _ in answers)

    def _errors_at(self, answers: Sequence[Answer], place: int) -> RowErrors | None:
        found = {
            column.name: outcomes[place]
            for column, (outcomes, _) in zip(self._columns, answers, strict=True)
        }
        settled = _settled(found)
        return settled if isinstance(settled, RowErrors) else None

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


def _without(outcomes: Sequence[Outcome], places: Iterable[int]) -> Sequence[Outcome]:
    """`outcomes` but for those at `places`, the last place first."""
    if not places:
        return outcomes
    rest = list(outcomes)
    for place in places:
        del rest[place]
    return rest


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
