"""Cron expressions: what they mean in words, and when they come next.

They are read in the portal's time zone, with Debian cron's rule for changes of the clock (cronsim
keeps it): a job at a fixed hour that the clock skips runs right after the change, one in the hour
that comes twice runs once; jobs with `*` or a step in minute or hour follow the real time.
"""

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from portal.errors import InvalidError


def check_cron(expression: str) -> str:
    """Return what a cron expression means, in words; raise InvalidError where it means nothing."""
    try:
        sim = CronSim(expression, datetime(2024, 1, 1))  # noqa: DTZ001 (only read, not run)
        return str(sim.explain())
    except CronSimError as error:
        raise InvalidError(f"That is no cron expression: {error}.") from error


def next_times(expression: str, *, after: datetime, zone: ZoneInfo, times: int) -> list[datetime]:
    """The next `times` moments that the expression names, read in `zone`."""
    try:
        return list(islice(CronSim(expression, after.astimezone(zone)), times))
    except CronSimError as error:
        raise InvalidError(f"That is no cron expression: {error}.") from error


def next_time(expression: str, *, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The next moment that the expression names; None where it never comes."""
    return next(iter(next_times(expression, after=after, zone=zone, times=1)), None)
