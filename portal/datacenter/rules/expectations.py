"""When a file is expected: a time on days of the week, or any cron expression. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.errors import InvalidError
from portal.jobs.cron import check_cron, next_time

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORKDAYS = (1, 2, 3, 4, 5)
MOST_GRACE_MINUTES = 24 * 60
CRON_LENGTH = 128

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_BY_TIME = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* (\*|[1-7](?:,[1-7])*)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ByTime:
    """A time of day as HH:MM, and days of the week from 1 for Monday to 7."""

    time: str
    days: tuple[int, ...]


def cron_of(by: ByTime) -> str:
    """The cron expression for a time on some days; raises InvalidError where it is none."""
    found = _TIME.fullmatch(by.time.strip())
    if found is None:
        raise InvalidError("Give the time as HH:MM, like 08:00.")
    days = sorted({day for day in by.days if 1 <= day <= len(DAYS)})
    if not days:
        raise InvalidError("Choose at least one day of the week.")
    which = "*" if len(days) == len(DAYS) else ",".join(map(str, days))
    return f"{int(found[2])} {int(found[1])} * * {which}"


def find_time(cron: str) -> ByTime | None:
    """The time and days that `cron_of` made an expression of; None for other expressions."""
    found = _BY_TIME.fullmatch(cron)
    if found is None:
        return None
    days = range(1, len(DAYS) + 1) if found[3] == "*" else map(int, found[3].split(","))
    return ByTime(time=f"{int(found[2]):02}:{int(found[1]):02}", days=tuple(days))


def in_words(cron: str) -> str:
    """When a file is expected, for people."""
    by = find_time(cron)
    return f"by {by.time} {days_in_words(by.days)}" if by else check_cron(cron)


def days_in_words(days: Sequence[int]) -> str:
    """`every day`, `on workdays`, or the days by name."""
    if len(days) == len(DAYS):
        return "every day"
    if tuple(days) == WORKDAYS:
        return "on workdays"
    return f"on {', '.join(DAYS[day - 1] for day in days)}"


def checked_cron(expression: str, *, now: datetime, zone: ZoneInfo) -> str:
    """The expression; raises InvalidError where it is none or its time never comes."""
    cron = " ".join(expression.split())
    if len(cron) > CRON_LENGTH:
        raise InvalidError(f"A cron expression has at most {CRON_LENGTH} characters.")
    check_cron(cron)
    if next_time(cron, after=now, zone=zone) is None:
        raise InvalidError("The time of this cron expression never comes.")
    return cron


def is_over(due_at: datetime, grace: timedelta, *, now: datetime) -> bool:
    """Whether the deadline of a time has passed."""
    return due_at + grace <= now


def next_due(
    cron: str, *, due_at: datetime, grace: timedelta, now: datetime, zone: ZoneInfo
) -> datetime | None:
    """The first time after `due_at` whose deadline is still to come.

    Those that were missed while the portal was down count as one.
    """
    return next_time(cron, after=max(due_at, now - grace), zone=zone)
