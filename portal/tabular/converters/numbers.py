"""Whole numbers of any length and exact decimals; never a float in between."""

import re
from collections.abc import Sequence
from decimal import Decimal

from portal.tabular.cells import CellError
from portal.tabular.converters.screens import foreign_to, lines_of
from portal.tabular.fields import Field

MOST_DIGITS = 4000
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?")
_INTEGER_SIGNS = b"0123456789+-"
_DECIMAL_SIGNS = b"0123456789+-."
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_WHOLE = "Invalid integer data: write a whole number such as 42"
_EXACT = "Invalid decimal data: write a number such as 12.50, with a point and no other signs"
_LONG = f"Invalid value: a number may have {MOST_DIGITS} digits at most"


class Integers:
    """Digits with or without a sign. Spaces, points and commas between digits are refused."""

    strict = True

    def __init__(self, field: Field) -> None:
        self._range = _Range(field)
        self.odd = foreign_to(_INTEGER_SIGNS)

    def one(self, text: str) -> int:
        """The number that `text` writes out."""
        if not _INTEGER.fullmatch(text):
            raise CellError(_WHOLE)
        value = _integer(text)
        self._range.check(value)
        return value

    def many(self, texts: Sequence[str]) -> Sequence[int]:
        """As `one`: of signs and digits alone, int() takes the same texts."""
        if len(lines_of(texts, made_of=_INTEGER_SIGNS)) > MOST_DIGITS:
            raise ValueError
        values = list(map(int, texts))
        self._range.check_all(values)
        return values


class Decimals:
    """Digits with or without a sign and a point; no exponent, no comma, never rounded."""

    strict = True

    def __init__(self, field: Field) -> None:
        self._range = _Range(field)
        self._digits, self._scale = field.digits, field.scale
        self._before = None if field.scale is None else max((field.digits or 0) - field.scale, 0)
        self.odd = foreign_to(_DECIMAL_SIGNS)

    def one(self, text: str) -> Decimal:
        """The number that `text` writes out, with as many places as it has."""
        found = _DECIMAL.fullmatch(text)
        if not found:
            raise CellError(_EXACT)
        if len(text) > MOST_DIGITS:
            raise CellError(_LONG)
        self._check_places(found[1].lstrip("0"), (found[2] or "").rstrip("0"))
        value = Decimal(text)
        self._range.check(value)
        return value

    def many(self, texts: Sequence[str]) -> Sequence[Decimal]:
        """As `one`: of signs, digits and points alone, Decimal() takes the same texts."""
        lines = lines_of(texts, made_of=_DECIMAL_SIGNS)
        if len(lines) > MOST_DIGITS or self._is_crowded(lines, texts):
            raise ValueError
        values = list(map(Decimal, texts))
        self._range.check_all(values)
        return values

    def _is_crowded(self, lines: bytes, texts: Sequence[str]) -> bool:
        """Whether one of `texts` may have more digits than allowed; some that have not, too."""
        if self._scale is not None and b"." + b"0" * (self._scale + 1) in lines.translate(_ZEROS):
            return True
        room = self._digits if self._before is None else self._before
        if self._digits is None or room is None or max(map(len, texts)) <= room:
            return False
        return self._before is None or b"0" * (self._before + 1) in lines.translate(_ZEROS)

    def _check_places(self, before: str, after: str) -> None:
        if self._scale is not None and len(after) > self._scale:
            raise CellError(f"Invalid value: at most {self._scale} digits after the point")
        if self._digits is None:
            return
        if self._before is not None and len(before) > self._before:
            raise CellError(f"Invalid value: at most {self._before} digits before the point")
        if len((before + after).lstrip("0")) > self._digits:
            raise CellError(f"Invalid value: at most {self._digits} digits in all")


def _integer(text: str) -> int:
    try:
        if len(text) <= MOST_DIGITS:
            return int(text)
    except ValueError:  # Python's own limit (PYTHONINTMAXSTRDIGITS) was set lower
        pass
    raise CellError(_LONG)


class _Range:
    def __init__(self, field: Field) -> None:
        self._minimum, self._maximum = field.minimum, field.maximum
        self._message = f"Invalid value: the number must be {_range_words(field)}"

    def check(self, value: int | Decimal) -> None:
        if self._minimum is not None and value < self._minimum:
            raise CellError(self._message)
        if self._maximum is not None and value > self._maximum:
            raise CellError(self._message)

    def check_all(self, values: Sequence[int] | Sequence[Decimal]) -> None:
        if self._minimum is not None:
            self.check(min(values))
        if self._maximum is not None:
            self.check(max(values))


def _range_words(field: Field) -> str:
    if field.minimum is None:
        return f"{field.maximum} or less"
    if field.maximum is None:
        return f"{field.minimum} or more"
    return f"from {field.minimum} to {field.maximum}"
