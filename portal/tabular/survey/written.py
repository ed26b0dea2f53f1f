"""How the numbers of a column are written, where not with a point alone. Pure.

Numbers are proposed only where all texts of a column agree in one way of writing them, and some of
them have decimals: 1,234 alone may be a little more than one as well as many, so it stays text.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from portal.tabular.number_formats import NumberFormat
from portal.tabular.survey.kinds import MOST_DIGITS

COMMA, POINT = ",", "."
_BETWEEN: Final = {COMMA: ("", ".", " ", "'"), POINT: ("", ",", " ", "'")}
_SIGNS: Final = {" ": " \u00a0\u202f", "'": "'\u2019"}
_DIGIT = re.compile(r"[0-9]")


class Written:
    """Which formats with one decimal sign all texts of a column fit, the plainest one first.

    `before` and `scale` are the most digits before and after the sign.
    """

    def __init__(self, decimal: str, *, spreadsheet: bool) -> None:
        self._decimal = decimal
        self._fitting = [
            (sign, _pattern(decimal, sign))
            for sign in _BETWEEN[decimal]
            if not (spreadsheet and sign == POINT)  # its own numbers have a decimal point
        ]
        self.before = self.scale = 0

    def __bool__(self) -> bool:
        """Whether any format fits."""
        return bool(self._fitting)

    def add(self, texts: Collection[str]) -> None:
        """Learn from more texts."""
        self._fitting = [one for one in self._fitting if all(map(one[1].fullmatch, texts))]
        if self._fitting:
            parts = [text.partition(self._decimal) for text in texts]
            before = max(len(_DIGIT.findall(part[0])) for part in parts)
            self.note(before=before, scale=max(len(part[2]) for part in parts))

    def note(self, *, before: int, scale: int) -> None:
        """Learn how many digits texts have that are known to fit."""
        self.before, self.scale = max(self.before, before), max(self.scale, scale)

    @property
    def format(self) -> NumberFormat:
        """The plainest format that fits; only where any does."""
        return NumberFormat(decimal=self._decimal, thousands=self._fitting[0][0])


def agreed(written: Iterable[Written]) -> Written | None:
    """The one way in which all numbers are written; None where none or several are possible."""
    fitting = [one for one in written if one]
    return fitting[0] if len(fitting) == 1 and fitting[0].scale else None


def _pattern(decimal: str, between: str) -> re.Pattern[str]:
    """As of plain numbers: no zeros before them, and not too many digits."""
    whole = f"0|[1-9][0-9]{{0,{MOST_DIGITS - 1}}}"
    if between:
        signs = re.escape(_SIGNS.get(between, between))
        whole += f"|[1-9][0-9]{{0,2}}(?:[{signs}][0-9]{{3}}){{1,{MOST_DIGITS // 3 - 1}}}"
    decimals = f"{re.escape(decimal)}[0-9]{{1,20}}"
    return re.compile(f"(?!-0$)-?(?:(?:{whole})(?:{decimals})?|{decimals})")
