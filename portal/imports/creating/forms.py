"""What the page of a table to be takes from people, and what it is told with."""

from collections.abc import Mapping
from typing import Final

from portal.imports.creating.drafts import Draft, Part
from portal.rows.rule_texts import RuleTexts, read, texts_of
from portal.tables.fields import EXACT_DIGITS
from portal.tables.new_tables import ColumnKind, NewColumn
from portal.tabular.rules import Rules
from portal.web.numbers import numbered

NAME_LENGTH = 100
CENTS = 2
KIND_LABELS: Final = {
    ColumnKind.TEXT: "Text",
    ColumnKind.INTEGER: "Whole number",
    ColumnKind.DECIMAL: "Exact number with decimals",
    ColumnKind.BOOLEAN: "Yes or no",
    ColumnKind.DATE: "Date",
    ColumnKind.DATETIME: "Date and time",
    ColumnKind.MOMENT: "Date and time with zone",
}
READING = ("encoding", "delimiter", "quote", "sheet")


def draft_from(form: Mapping[str, str], *, columns: int) -> Draft:
    """The table as it was filled in, for a file of so many columns; what is no choice is text."""
    names, kinds = numbered(form, "name-"), numbered(form, "kind-")
    digits, scales = numbered(form, "digits-"), numbered(form, "scale-")
    numbers = numbered(form, "number-")
    required, keys, left_out = (numbered(form, f"{box}-") for box in ("required", "key", "out"))

    def part(place: int) -> Part:
        kind = _kind(kinds.get(place, ""))
        decimal = kind is ColumnKind.DECIMAL
        column = NewColumn(
            name=names.get(place, "").strip()[:NAME_LENGTH],
            kind=kind,
            digits=_small(digits.get(place, ""), otherwise=EXACT_DIGITS) if decimal else 0,
            scale=_small(scales.get(place, ""), otherwise=CENTS) if decimal else 0,
            required=place in required or place in keys,
            key=place in keys,
        )
        number = read(RuleTexts(number=numbers.get(place, ""))).rules.number
        return Part(column=column, left_out=place in left_out, number=number)

    table = form.get("table", "").strip()[:NAME_LENGTH]
    return Draft(name=table, parts=tuple(map(part, range(columns))))


def number_texts(draft: Draft) -> list[str]:
    """How the file writes the numbers of each column, as the form has it."""
    return [texts_of(Rules(number=part.number)).number for part in draft.parts]


def reading_from(form: Mapping[str, str]) -> dict[str, str]:
    """How the file shall be read; what is not said is found."""
    return {name: form[name] for name in READING if form.get(name)}


def _kind(said: str) -> ColumnKind:
    return ColumnKind(said) if said in set(ColumnKind) else ColumnKind.TEXT


def _small(said: str, *, otherwise: int) -> int:
    text = said.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else otherwise
