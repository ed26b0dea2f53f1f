"""Which type all texts of a column have. Pure.

A number with zeros before it, or with a plus, is a text: article numbers, postal codes, telephone
numbers. Text stays what none of the converters takes.
"""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

from portal.tabular.cells import CellError
from portal.tabular.converters import converter_for
from portal.tabular.converters.base import Converter
from portal.tabular.fields import Field, FieldType

MOST_DIGITS = 18  # before the point, as a BIGINT holds them whatever they are
_WHOLE = re.compile(rf"0|-?[1-9][0-9]{{0,{MOST_DIGITS - 1}}}")
_EXACT = re.compile(rf"-?(?:0|[1-9][0-9]{{0,{MOST_DIGITS - 1}}})?\.[0-9]{{1,20}}")
_FIRST: Final = (
    FieldType.INTEGER,
    FieldType.DECIMAL,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.DATETIME,
)
_WIDER: Final = {FieldType.INTEGER: FieldType.DECIMAL, FieldType.DATE: FieldType.DATETIME}
Texts = Collection[str]


def type_of(texts: Texts) -> FieldType:
    """The narrowest type that all `texts` have; there is at least one."""
    return next((kind for kind in _FIRST if _have(kind, texts)), FieldType.TEXT)


def widened(kind: FieldType, texts: Texts) -> FieldType:
    """The narrowest type that `texts` have, and others that had the type `kind` before."""
    while kind is not FieldType.TEXT and not _have(kind, texts):
        kind = _WIDER.get(kind, FieldType.TEXT)
    return kind


def places_of(texts: Iterable[str]) -> tuple[int, int]:
    """The most digits before, and after, the point of numbers."""
    parts = [text.lstrip("-").partition(".") for text in texts]
    return max(len(part[0]) for part in parts), max(len(part[2]) for part in parts)


def has_offset(texts: Iterable[str]) -> bool:
    """Whether one of these moments says how far its clock is from Greenwich."""
    clocks = (text[11:] for text in texts)
    return any("+" in clock or "-" in clock or clock.endswith("Z") for clock in clocks)


def _have(kind: FieldType, texts: Texts) -> bool:
    return _TESTS[kind](texts)


def _whole(texts: Texts) -> bool:
    return all(map(_WHOLE.fullmatch, texts))


def _exact(texts: Texts) -> bool:
    return all(_EXACT.fullmatch(text) or _WHOLE.fullmatch(text) for text in texts)


def _words(texts: Texts) -> bool:
    """Yes and no in words; 1 and 0 are numbers as long as nobody says otherwise."""
    return not any(text in ("0", "1") for text in texts) and _are(_BOOLEANS, texts)


def _days(texts: Texts) -> bool:
    return not any(map(str.isdigit, texts)) and _are(_DATES, texts)


def _moments(texts: Texts) -> bool:
    return not any(map(str.isdigit, texts)) and _are(_DATETIMES, texts)


def _are(converter: Converter, texts: Texts) -> bool:
    listed = list(texts)
    try:
        converter.many(listed)
    except (ValueError, LookupError, ArithmeticError):
        return all(_is(converter, text) for text in listed)
    return True


def _is(converter: Converter, text: str) -> bool:
    try:
        converter.one(text)
    except CellError:
        return False
    return True


_BOOLEANS, _DATES, _DATETIMES = (
    converter_for(Field(name="", type=kind))
    for kind in (FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME)
)
_TESTS: Final[dict[FieldType, Callable[[Texts], bool]]] = {
    FieldType.INTEGER: _whole,
    FieldType.DECIMAL: _exact,
    FieldType.BOOLEAN: _words,
    FieldType.DATE: _days,
    FieldType.DATETIME: _moments,
}
