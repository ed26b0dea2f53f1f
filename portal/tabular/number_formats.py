"""Numbers with a comma, or with signs between thousands, made to plain ones. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Self

from portal.errors import InvalidError
from portal.tabular.cells import CellError, shown

DECIMALS: Final = (".", ",")
THOUSANDS: Final = ("", ".", ",", " ", "'")
_ALIKE: Final = {" ": " \u00a0\u202f", "'": "'\u2019"}
_NAMES: Final = {".": "a point", ",": "a comma", " ": "a space", "'": "an apostrophe"}


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """The sign before decimals, and the one between thousands ("" for none).

    A space stands for those that do not break too. Signs between thousands may be left out, but
    none may stand elsewhere: 1.23 is no number where a point is between thousands.
    """

    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        """Refuse signs that would be read in two ways."""
        known = self.decimal in DECIMALS and self.thousands in THOUSANDS
        if not known or self.decimal == self.thousands:
            raise InvalidError(
                "Numbers have a point or a comma before decimals, and another sign, a space or "
                "nothing between thousands."
            )

    def as_json(self) -> dict[str, Any]:
        """Both signs."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: object) -> Self:
        """The format that `as_json` gave; raise InvalidError for anything else."""
        if not isinstance(said, Mapping) or not said.keys() <= {"decimal", "thousands"}:
            raise InvalidError("'number' has 'decimal' and 'thousands'.")
        return cls(decimal=said.get("decimal", "."), thousands=said.get("thousands", ""))

    def one(self, text: str) -> str:
        """`text` with a decimal point alone; raise CellError where it is no such number."""
        if not self._pattern.fullmatch(text):
            raise CellError(f"{shown(text)} is no number {self._words}")
        return self._plain(text)

    def many(self, texts: Sequence[str]) -> list[str]:
        """As `one`, for all `texts`."""
        if not all(map(self._pattern.fullmatch, texts)):
            return list(map(self.one, texts))
        return self._plain("\n".join(texts)).split("\n")

    def _plain(self, text: str) -> str:
        for sign in self._dropped:
            text = text.replace(sign, "")
        return text.replace(self.decimal, ".")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        whole = "[0-9]+"
        if self.thousands:
            signs = re.escape(self._dropped)
            whole = f"(?:[0-9]{{1,3}}(?:[{signs}][0-9]{{3}})+|[0-9]+)"
        point = re.escape(self.decimal)
        return re.compile(f"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)")

    @property
    def _dropped(self) -> str:
        return _ALIKE.get(self.thousands, self.thousands)

    @property
    def _words(self) -> str:
        words = f"with {_NAMES[self.decimal]} before decimals"
        return (
            f"{words} and {_NAMES[self.thousands]} between thousands" if self.thousands else words
        )
