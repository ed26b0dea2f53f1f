"""Dates and times as ISO writes them, and in the two local forms that mean one day only.

A `#` at the end, put there to keep Excel's hands off, is dropped. Where a year stands first or
points part the numbers, the order is certain; 01/02/2025 is refused, for nobody can tell.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, tzinfo

from portal.tabular.cells import CellError
from portal.tabular.converters.screens import foreign_to, lines_of
from portal.tabular.fields import Field

_DAYS = (
    re.compile(r"(?P<y>[0-9]{4})(?P<sign>[-/.])(?P<m>[0-9]{1,2})(?P=sign)(?P<d>[0-9]{1,2})"),
    re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})"),
    re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
)
_TIME = re.compile(
    r"[0-9]{2}:?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_DAY_SIGNS = b"0123456789-#"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?").fullmatch
_NO_DAY = "Invalid datetime data: write an existing day as year-month-day, such as 2025-12-31"
_NO_MOMENT = "Invalid datetime data: write day and time such as 2025-12-31 23:59:00"
_NOT_MIDNIGHT = "Invalid datetime data: write the day alone, such as 2025-12-31, without a time"


class Dates:
    """Days. A time beside the day is accepted if it is midnight, as spreadsheets add it."""

    strict = True

    def __init__(self, _field: Field) -> None:
        self.odd = foreign_to(_DAY_SIGNS)

    def one(self, text: str) -> date:
        """The day that `text` names."""
        day, clock = _parts(text)
        value = _day(day, _NO_DAY)
        if clock and _time(clock, _NO_DAY) != time():
            raise CellError(_NOT_MIDNIGHT)
        return value

    def many(self, texts: Sequence[str]) -> Sequence[date]:
        """As `one`: of digits and strokes alone, fromisoformat() takes nothing else."""
        if b"#" in lines_of(texts, made_of=_DAY_SIGNS):
            texts = [text.removesuffix("#") for text in texts]
        return list(map(date.fromisoformat, texts))


class Datetimes:
    """Moments. One written with an offset keeps it, or is told in the zone of its field."""

    strict = True

    def __init__(self, field: Field) -> None:
        self._zone = field.zone

    def one(self, text: str) -> datetime:
        """The moment that `text` names; midnight where there is a day only."""
        day, clock = _parts(text)
        moment = _time(clock, _NO_MOMENT) if clock else time()
        value = datetime.combine(_day(day, _NO_MOMENT), moment)
        if self._zone is None or value.tzinfo is None:
            return value
        try:
            return told_in(value, self._zone)
        except OverflowError:
            raise CellError(_NO_MOMENT) from None

    def many(self, texts: Sequence[str]) -> Sequence[datetime]:
        """As `one`, for the plain form without fractions and offset."""
        if "#" in texts[0]:
            texts = [text.removesuffix("#") for text in texts]
        if not all(map(_MOMENT, texts)):
            raise ValueError
        return list(map(datetime.fromisoformat, texts))

    def odd(self, texts: Sequence[str]) -> list[int]:
        """The places of texts in another form."""
        return [place for place, plain in enumerate(map(_MOMENT, texts)) if not plain]


def told_in(value: datetime, zone: tzinfo) -> datetime:
    """As a clock in `zone` tells it: bare, but for the second of an hour that comes twice.

    Raises OverflowError where that is no year of the calendar.
    """
    local = value.astimezone(zone)
    bare = local.replace(tzinfo=None, fold=0)
    return bare if bare.replace(tzinfo=zone) == value else local


def _parts(text: str) -> tuple[str, str]:
    day, _, clock = text.removesuffix("#").rstrip().replace("T", " ", 1).partition(" ")
    return day, clock.strip()


def _day(text: str, message: str) -> date:
    found = next(filter(None, (form.fullmatch(text) for form in _DAYS)), None)
    if not found:
        raise CellError(message)
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        raise CellError(message) from None


def _time(text: str, message: str) -> time:
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise CellError(message)
