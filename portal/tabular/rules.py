"""Rules of a column: how the texts of its cells are put right before they become values. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, TypeVar

from portal.errors import InvalidError
from portal.tabular.date_pictures import DatePicture
from portal.tabular.fields import Field, FieldType
from portal.tabular.number_formats import NumberFormat

_DATES = frozenset({FieldType.DATE, FieldType.DATETIME})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
Named = TypeVar("Named", bound=StrEnum)


class Case(StrEnum):
    """How letters are written."""

    UPPER = "upper"
    LOWER = "lower"
    TITLE = "title"


class Others(StrEnum):
    """What becomes of texts that a value map does not name."""

    KEEP = "keep"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is done to the texts of one column, in this order.

    `trim` takes the blanks around a text away; without it those of texts and references stay, and
    a cell of blanks alone is not empty there. A text that `values` names becomes what stands there,
    and no other rule touches it: so an empty cell, `n/a` and the like can be given a meaning.
    `case`, `date` (a picture such as DD.MM.YYYY) and `number` hold for all others but the markers
    and empty cells.
    """

    trim: bool = True
    case: Case | None = None
    date: str = ""
    number: NumberFormat | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    others: Others = Others.KEEP

    def __post_init__(self) -> None:
        """Refuse a picture that is none."""
        if self.date:
            DatePicture(self.date)

    @property
    def changes_nothing(self) -> bool:
        """Whether cells with these rules are read as cells without any."""
        return self == _NONE

    def as_json(self) -> dict[str, Any]:
        """What differs from no rules, as JSON has it."""
        said = {
            "trim": self.trim,
            "case": str(self.case) if self.case else None,
            "date": self.date,
            "number": self.number.as_json() if self.number else None,
            "values": dict(self.values),
            "others": str(self.others),
        }
        return {name: value for name, value in said.items() if value != _PLAIN[name]}

    @classmethod
    def from_json(cls, said: object) -> Self:
        """The rules that `as_json` gave; raise InvalidError for anything else."""
        if not isinstance(said, Mapping):
            raise InvalidError("Rules of a column are an object such as {'case': 'upper'}.")
        if unknown := sorted(map(str, said.keys() - _PLAIN.keys())):
            known = ", ".join(_PLAIN)
            raise InvalidError(f"There is no rule {', '.join(unknown)}; there are {known}.")
        number = said.get("number")
        return cls(
            trim=_truth(said.get("trim", True)),
            case=None if said.get("case") is None else _named(Case, said["case"], "case"),
            date=_text(said.get("date", ""), "date"),
            number=None if number is None else NumberFormat.from_json(number),
            values=_texts(said.get("values", {})),
            others=_named(Others, said.get("others", "keep"), "others"),
        )


_NONE = Rules()
_PLAIN: dict[str, object] = {
    "trim": True,
    "case": None,
    "date": "",
    "number": None,
    "values": {},
    "others": "keep",
}


def rules_as_json(rules: Mapping[str, Rules]) -> dict[str, Any]:
    """The rules by field as JSON has them; columns whose rules change nothing are left out."""
    return {name: one.as_json() for name, one in rules.items() if not one.changes_nothing}


def rules_from_json(said: object) -> dict[str, Rules]:
    """The rules by field that `rules_as_json` gave; raise InvalidError for anything else."""
    if not isinstance(said, Mapping) or not all(isinstance(name, str) for name in said):
        raise InvalidError("Rules are given by the names of fields.")
    found = {}
    for name, one in said.items():
        try:
            found[name] = Rules.from_json(one)
        except InvalidError as error:
            raise InvalidError(f"{name}: {error}") from None
    return found


def faults_of_rules(
    rules: Mapping[str, Rules], fields: Sequence[Field], *, kind: str = "csv"
) -> list[str]:
    """What makes no sense in `rules` for these fields and a file of this kind; nothing if fine."""
    named = {field.name: field for field in fields}
    return [fault for name, one in rules.items() for fault in _faults(name, one, named, kind)]


def _faults(name: str, rules: Rules, named: Mapping[str, Field], kind: str) -> Iterator[str]:
    if name not in named:
        yield f"There is no field '{name}' to have rules."
        return
    of_type = named[name].type
    if rules.others is Others.REFUSE and not rules.values:
        yield f"'{name}' would take no value at all: the mapping names none."
    if rules.date and of_type not in _DATES:
        yield f"'{name}' is no date: it cannot have a date format."
    if rules.number and of_type not in _NUMBERS:
        yield f"'{name}' is no number: it cannot have a number format."
    if rules.number and rules.number.thousands == "." and kind != "csv":
        yield (
            f"'{name}': a spreadsheet gives its numbers with a decimal point, "
            "which cannot stand between thousands too."
        )


def _truth(said: object) -> bool:
    if not isinstance(said, bool):
        raise InvalidError("'trim' is true or false.")
    return said


def _text(said: object, name: str) -> str:
    if not isinstance(said, str):
        raise InvalidError(f"'{name}' is a text.")
    return said


def _texts(said: object) -> dict[str, str]:
    if isinstance(said, Mapping):
        pairs = {key: text for key, text in said.items() if isinstance(key, str)}
        if len(pairs) == len(said) and all(isinstance(text, str) for text in pairs.values()):
            return pairs
    raise InvalidError("'values' gives a text for each text.")


def _named(kind: type[Named], said: object, name: str) -> Named:
    try:
        return kind(_text(said, name))
    except ValueError:
        raise InvalidError(f"'{name}' is one of {', '.join(kind)}.") from None
