"""The rules of a column at work: compiled once for a batch, then for many cells at a time. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from portal.tabular.cells import CellError, shown
from portal.tabular.date_pictures import DatePicture
from portal.tabular.markers import MARKERS
from portal.tabular.rules import Case, Others, Rules

Errors: TypeAlias = Mapping[int, CellError]
_LAST_LETTER = re.compile(r"['\u2019]\w\b")


def _title(text: str) -> str:
    """`text` with capitals, but for the last letter of such as Anna's."""
    return _LAST_LETTER.sub(lambda found: found[0].lower(), text.title())


_CASES: Mapping[Case, Callable[[str], str]] = {
    Case.UPPER: str.upper,
    Case.LOWER: str.lower,
    Case.TITLE: _title,
}


class Transformed(NamedTuple):
    """Texts in the order of the cells, and by place the errors of those that have none ("")."""

    texts: Sequence[str]
    errors: Errors


class _Step(NamedTuple):
    one: Callable[[str], str]
    many: Callable[[Sequence[str]], list[str]]


class Transform:
    """What the rules of one column do to the texts of its cells."""

    def __init__(self, rules: Rules) -> None:
        self._trim = rules.trim or bool(rules.date or rules.number)
        self._values = dict(rules.values)
        self._strict = rules.others is Others.REFUSE
        self._steps = _steps(rules)

    def one(self, cell: str) -> str:
        """The text that `cell` becomes; raise CellError where a rule refuses it."""
        text = cell.strip() if self._trim else cell
        if text in self._values:
            return self._values[text]
        if text in MARKERS:
            return text
        if self._strict:
            raise CellError(f"{shown(text)} is none of the values that the mapping names")
        for step in self._steps:
            text = step.one(text)
        if text in MARKERS:
            raise CellError(f"{shown(cell)} would become {text}, which is no value")
        return text

    def many(self, cells: Sequence[str]) -> Transformed:
        """As `one`, for all `cells`, but fast; what is refused stands in the errors."""
        texts = list(map(str.strip, cells)) if self._trim else cells
        if self._values or self._strict:
            return self._named(texts)
        if MARKERS.isdisjoint(texts):
            done = self._together(texts)
            if done is not None and MARKERS.isdisjoint(done):
                return Transformed(done, {})
        return self._apart(texts)

    def _named(self, texts: Sequence[str]) -> Transformed:
        if not self._steps and not self._strict:
            return Transformed([self._values.get(text, text) for text in texts], {})
        if all(text in self._values for text in texts):
            return Transformed([self._values[text] for text in texts], {})
        return self._apart(texts)

    def _together(self, texts: Sequence[str]) -> Sequence[str] | None:
        try:
            for step in self._steps:
                texts = step.many(texts)
        except CellError:
            return None
        return texts

    def _apart(self, texts: Sequence[str]) -> Transformed:
        done: list[str] = []
        errors: dict[int, CellError] = {}
        for place, text in enumerate(texts):
            try:
                done.append(self.one(text))
            except CellError as error:
                done.append("")
                errors[place] = error.bare()
        return Transformed(done, errors)


def transform_for(rules: Rules | None) -> Transform | None:
    """What `rules` do to cells; None where there is no more to do than for cells without rules."""
    if rules is None or rules.changes_nothing:
        return None
    return Transform(rules)


def _steps(rules: Rules) -> list[_Step]:
    steps = []
    if rules.case is not None:
        change = _CASES[rules.case]
        steps.append(_Step(change, lambda texts: list(map(change, texts))))
    if rules.date:
        picture = DatePicture(rules.date)
        steps.append(_Step(picture.one, picture.many))
    if rules.number is not None:
        steps.append(_Step(rules.number.one, rules.number.many))
    return steps
