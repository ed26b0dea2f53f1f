"""Dates written by a picture such as DD.MM.YYYY, made to dates as ISO writes them. Pure.

In a picture YYYY and YY are the year, MM and DD month and day with two digits, M and D with one or
two; HH, mm and ss are hour, minute and second. Of two digits 69 to 99 are 1969 to 1999, and 00 to
68 are 2000 to 2068, as POSIX has it (strptime, %y).
"""

import re
from collections.abc import Sequence
from datetime import date, time
from functools import lru_cache
from itertools import pairwise
from typing import Final

from portal.errors import InvalidError
from portal.tabular.cells import CellError, shown

_TOKENS: Final = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<year>[0-9]{2})",
    "MM": "(?P<month>[0-9]{2})",
    "DD": "(?P<day>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "D": "(?P<day>[0-9]{1,2})",
    "HH": "(?P<hour>[0-9]{2})",
    "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})",
}
_PART = re.compile("|".join(_TOKENS) + r"|[-./,:;_ T]")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?")
_WHOLE: Final = {"DMY", "DHMYm", "DHMYms"}
_LONGEST = 40
_PIVOT = 69
_REMEMBERED = 40_000  # more days than a hundred years have, in some 10 MB


class DatePicture:
    """How the dates of a column are written; raises InvalidError for a picture that is none.

    A date as ISO writes it is taken as it is, for so spreadsheets give real dates, unless the
    picture itself begins with `YYYY-`.
    """

    def __init__(self, picture: str) -> None:
        parts = _parts(picture)
        self.picture = picture
        pattern = "".join(_TOKENS.get(part) or re.escape(part) for part in parts)
        self._match = re.compile(f"{pattern}#?").fullmatch
        self._passes = None if picture.startswith("YYYY-") else _ISO.fullmatch
        self._clock = "HH" in parts
        self._short = "YYYY" not in parts
        self._known = lru_cache(_REMEMBERED)(self._iso)

    def one(self, text: str) -> str:
        """The date that `text` names as ISO writes it; raise CellError where it names none."""
        return self._known(text)

    def many(self, texts: Sequence[str]) -> list[str]:
        """As `one`, for all `texts`; a column has the same days again and again."""
        return list(map(self._known, texts))

    def _iso(self, text: str) -> str:
        found = self._match(text)
        if found is None:
            if self._passes and self._passes(text):
                return text
            raise self._refused(text)
        said = {part: int(number) for part, number in found.groupdict().items()}
        year = said["year"]
        hour, minute, second = (said.get(part, 0) for part in ("hour", "minute", "second"))
        if self._short:
            year += 1900 if year >= _PIVOT else 2000
        try:
            day = date(year, said["month"], said["day"])
            clock = time(hour, minute, second)
        except ValueError:
            raise self._refused(text) from None
        return f"{day} {clock}" if self._clock else str(day)

    def _refused(self, text: str) -> CellError:
        return CellError(f"{shown(text)} is no date as {self.picture}")


def _parts(picture: str) -> list[str]:
    """The parts of a picture; raise InvalidError where a day would not be whole, or not certain."""
    parts = _PART.findall(picture)
    tokens = [part for part in parts if part in _TOKENS]
    whole = "".join(sorted(token[0] for token in tokens)) in _WHOLE
    touching = any(
        {"M", "D"} & set(pair) and set(pair) <= _TOKENS.keys() for pair in pairwise(parts)
    )
    if len(picture) > _LONGEST or "".join(parts) != picture or not whole or touching:
        raise InvalidError(
            f"{shown(picture)} is no picture of a date: write the day as DD, the month as MM and "
            "the year as YYYY, such as DD.MM.YYYY, and times as HH:mm or HH:mm:ss."
        )
    return parts
