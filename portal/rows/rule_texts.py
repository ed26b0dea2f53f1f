"""The rules of a column as a form has them, one text for each part, and back. Pure."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, TypeVar

from portal.errors import InvalidError
from portal.tabular.cells import shown
from portal.tabular.date_pictures import DatePicture
from portal.tabular.fields import Empty
from portal.tabular.number_formats import NumberFormat
from portal.tabular.rules import Case, Others, Rules

CASES: Final = {"": "as they are", "upper": "UPPER", "lower": "lower", "title": "Title"}
NUMBERS: Final = {
    "": "1234.56",
    ".,": "1,234.56",
    ". ": "1 234.56",
    ".'": "1'234.56",
    ",": "1234,56",
    ",.": "1.234,56",
    ", ": "1 234,56",
    ",'": "1'234,56",
    ".": "1234.56 and nothing else",
}
EMPTIES: Final = {
    "": "as the field says",
    "keep": "leave the value alone",
    "clear": "clear the value",
    "default": "put the default",
}
_LINE_END = re.compile(r"\r\n|\r|\n")
_ODD = re.compile(r'[\r\n]|^["\s]|\s$|^$')
Named = TypeVar("Named", bound=StrEnum)
Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class RuleTexts:
    """What a form says of the cells of a column; each text as it was typed or chosen.

    `values` has one `text = value` a line, either in quotes where signs would be misread.
    """

    trim: str = "yes"
    case: str = ""
    date: str = ""
    number: str = ""
    values: str = ""
    others: str = "keep"
    empty: str = ""


PARTS: Final = tuple(part.name for part in fields(RuleTexts))
NOTHING: Final = RuleTexts()


@dataclass(frozen=True, kw_only=True)
class Read:
    """The rules that texts mean, without what is wrong in them; `faults` says that by part."""

    rules: Rules
    empty: Empty | None
    faults: Mapping[str, str]


def texts_of(rules: Rules, empty: Empty | None = None) -> RuleTexts:
    """The texts that mean these rules."""
    number = rules.number
    return RuleTexts(
        trim="yes" if rules.trim else "no",
        case=rules.case or "",
        date=rules.date,
        number=number.decimal + number.thousands if number else "",
        values="\n".join(_line(text, value) for text, value in rules.values.items()),
        others=str(rules.others),
        empty=empty or "",
    )


def read(texts: RuleTexts) -> Read:
    """What `texts` mean; what cannot be read is told, and left out of the rules."""
    faults: dict[str, str] = {}

    def part(name: str, reading: Callable[[str], Part], otherwise: Part) -> Part:
        try:
            return reading(getattr(texts, name))
        except InvalidError as error:
            faults[name] = str(error)
            return otherwise

    rules = Rules(
        trim=texts.trim != "no",
        case=part("case", lambda text: _named(Case, text), None),
        date=part("date", _date, ""),
        number=part("number", _number, None),
        values=part("values", _values, {}),
        others=part("others", lambda text: _named(Others, text), None) or Others.KEEP,
    )
    empty = part("empty", lambda text: _named(Empty, text), None)
    return Read(rules=rules, empty=empty, faults=faults)


def number_like(example: str) -> NumberFormat | None:
    """The format in which `example` is 1234.56; None for the plain one. Raises InvalidError."""
    for text, known in NUMBERS.items():
        if known == example:
            return _number(text)
    examples = ", ".join(one for one in NUMBERS.values() if "and" not in one)
    raise InvalidError(f"{example!r} is no way to write 1234.56; there are {examples}.")


def said(texts: RuleTexts) -> str:
    """The rules that differ from none, in a few words; empty where nothing is said."""
    return ", ".join(_said(texts))


def _said(texts: RuleTexts) -> Iterator[str]:
    if texts.trim == "no":
        yield "blanks stay"
    if texts.case:
        yield f"letters {CASES.get(texts.case, texts.case)}"
    if texts.date.strip():
        yield f"dates {texts.date.strip()}"
    if texts.number:
        yield f"numbers {NUMBERS.get(texts.number, texts.number)}"
    if count := sum(1 for line in _LINE_END.split(texts.values) if line.strip()):
        yield f"{count} value{'' if count == 1 else 's'} named"
    if texts.others == Others.REFUSE:
        yield "others refused"
    if texts.empty:
        yield f"empty cells {EMPTIES.get(texts.empty, texts.empty)}"


def _line(text: str, value: str) -> str:
    left = json.dumps(text, ensure_ascii=False) if "=" in text or _ODD.search(text) else text
    right = json.dumps(value, ensure_ascii=False) if value and _ODD.search(value) else value
    return f"{left} = {right}".rstrip()


def _values(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip():
            continue
        try:
            name, value = _pair(line.strip())
        except ValueError:
            raise InvalidError(f"Line {number}: write “text = value”.") from None
        if name in found:
            raise InvalidError(f"Line {number}: {shown(name)} stands above already.")
        found[name] = value
    return found


def _pair(line: str) -> tuple[str, str]:
    """Both sides of a line; raises ValueError where it has no two."""
    if line.startswith('"'):
        left, end = json.JSONDecoder().raw_decode(line)
        sign, right = line[end:].lstrip()[:1], line[end:].lstrip()[1:].strip()
    else:
        left, sign, right = (part.strip() for part in line.partition("="))
    if sign != "=":
        raise ValueError("there is no sign of equality")
    return left, json.loads(right) if right.startswith('"') else right


def _date(text: str) -> str:
    picture = text.strip()
    if picture:
        DatePicture(picture)
    return picture


def _number(text: str) -> NumberFormat | None:
    if text not in NUMBERS:
        raise InvalidError("Choose one of the formats.")
    return NumberFormat(decimal=text[0], thousands=text[1:]) if text else None


def _named(kind: type[Named], text: str) -> Named | None:
    try:
        return kind(text) if text else None
    except ValueError:
        raise InvalidError(f"Choose one of {', '.join(kind)}.") from None
