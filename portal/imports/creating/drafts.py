"""The table that a file is to become, as it is proposed and as somebody changed it. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from portal.rows.treatment import PLAIN, Treatment
from portal.tables.fields import EXACT_DIGITS
from portal.tables.naming import identifier
from portal.tables.new_tables import ColumnKind, NewColumn, NewTable, faults_of, numbered
from portal.tabular.fields import Field, FieldType
from portal.tabular.markers import is_no_field
from portal.tabular.number_formats import NumberFormat
from portal.tabular.rules import Rules, faults_of_rules
from portal.tabular.survey.columns import ColumnFacts
from portal.tabular.survey.file import Survey

_NAMING = re.compile(
    r"(id|key|code|nr|no|number|nummer|kennung|uuid)|.*_(id|key|code|nr|no|number)"
)
_KINDS: Final = {
    FieldType.INTEGER: ColumnKind.INTEGER,
    FieldType.DECIMAL: ColumnKind.DECIMAL,
    FieldType.BOOLEAN: ColumnKind.BOOLEAN,
    FieldType.DATE: ColumnKind.DATE,
    FieldType.DATETIME: ColumnKind.DATETIME,
}


_NUMBERS: Final = {
    ColumnKind.INTEGER: FieldType.INTEGER,
    ColumnKind.DECIMAL: FieldType.DECIMAL,
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a column of the file becomes, unless it is left out; `number` is how the file writes
    its numbers, where not with a point alone.
    """

    column: NewColumn
    left_out: bool = False
    number: NumberFormat | None = None

    @property
    def rules(self) -> Rules | None:
        """How its cells are put right before they become values; None where they are as they are.

        A column that holds no numbers is taken as the file writes it.
        """
        right = self.number is not None and not self.left_out and self.column.kind in _NUMBERS
        return Rules(number=self.number) if right else None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A table to be: its name, and what each column of the file becomes, in the file's order."""

    name: str
    parts: tuple[Part, ...]

    @property
    def table(self) -> NewTable:
        """The table that would be made."""
        columns = tuple(part.column for part in self.parts if not part.left_out)
        return NewTable(name=self.name, columns=columns, numbered=numbered(columns))

    @property
    def mapping(self) -> tuple[str | None, ...]:
        """The table's column for each of the file, None for one that is left out."""
        return tuple(None if part.left_out else part.column.name for part in self.parts)

    @property
    def treatment(self) -> Treatment:
        """How the cells of the file are read."""
        rules = {part.column.name: part.rules for part in self.parts if part.rules is not None}
        return Treatment(rules=rules) if rules else PLAIN


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is wrong with a draft: with the table, and with columns by their place in the file."""

    table: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.table) or any(self.columns)

    def told(self, headers: Sequence[str]) -> list[str]:
        """All of them in words, those of columns led by the header."""
        named = zip(headers, self.columns, strict=True)
        return [*self.table, *(f"{header}: {text}" for header, ts in named for text in ts)]


def propose(survey: Survey, *, file_name: str, taken: Collection[str], dialect: str) -> Draft:
    """The table that fits all that the file holds."""
    names: list[str] = []
    parts = []
    for number, facts in enumerate(survey.columns, start=1):
        left_out = is_no_field(facts.header) or not (facts.header or facts.filled)
        name = identifier(facts.header, otherwise=f"column_{number}", taken=names)
        names += [] if left_out else [name]
        column = _column(name, facts, dialect)
        parts.append(Part(column=column, left_out=left_out, number=facts.number))
    table = identifier(PurePath(file_name).stem, otherwise="rows", taken=taken)
    return Draft(name=table, parts=_keyed(parts, survey.columns))


def check(draft: Draft, *, taken: Collection[str], dialect: str, kind: str) -> Faults:
    """What must be put right before the draft of a file of this kind can become a table."""
    places = [place for place, part in enumerate(draft.parts) if not part.left_out]
    columns = [_faults_of_rules(part, kind) for part in draft.parts]
    table: list[str] = []
    for fault in faults_of(draft.table, taken=taken, dialect=dialect):
        where = table if fault.column is None else columns[places[fault.column]]
        where.append(fault.text)
    return Faults(table=tuple(table), columns=tuple(map(tuple, columns)))


def _faults_of_rules(part: Part, kind: str) -> list[str]:
    name, rules = part.column.name, part.rules
    if rules is None:
        return []
    field = Field(name=name, type=_NUMBERS[part.column.kind])
    return faults_of_rules({name: rules}, [field], kind=kind)


def _column(name: str, facts: ColumnFacts, dialect: str) -> NewColumn:
    kind = _KINDS.get(facts.type, ColumnKind.TEXT)
    digits = facts.before + facts.scale
    if kind is ColumnKind.DATETIME and facts.offset:
        kind = ColumnKind.MOMENT
    if kind is ColumnKind.DECIMAL and digits > EXACT_DIGITS and dialect == "sqlite":
        kind = ColumnKind.TEXT
    decimal = kind is ColumnKind.DECIMAL
    return NewColumn(
        name=name,
        kind=kind,
        digits=max(digits, EXACT_DIGITS) if decimal else 0,  # room for what comes later
        scale=facts.scale if decimal else 0,
        required=facts.filled > 0 and not facts.empty,
    )


def _keyed(parts: Sequence[Part], facts: Sequence[ColumnFacts]) -> tuple[Part, ...]:
    """With the column as key that is likeliest to name the rows, where there is one."""
    unique = [n for n, one in enumerate(facts) if one.unique and not parts[n].left_out]
    named = [n for n in unique if _NAMING.fullmatch(parts[n].column.name)]
    days = [n for n in unique if facts[n].type is FieldType.DATE]
    key = next(iter([*named, *(n for n in unique if n not in days), *days]), None)
    return tuple(
        replace(part, column=replace(part.column, key=True)) if place == key else part
        for place, part in enumerate(parts)
    )
