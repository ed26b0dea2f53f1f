"""Times, sizes and counts in human form, for templates."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import humanize
from flask import Flask

from portal.visible import visible

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def relative(moment: datetime, *, now: datetime | None = None) -> str:
    """`3 min ago`, `in 2 h`, `just now`."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if abs(seconds) < 10:
        return "just now"
    amount = _largest(abs(seconds))
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def exact(moment: datetime, *, zone: ZoneInfo) -> str:
    """`2026-11-21 14:03:05 CET`, in `zone`."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def duration(value: timedelta | float | None) -> str:
    """`0.8 s`, `12 s`, `1 min 04 s`, `2 h 05 min`; a dash for none."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:02.0f} min"


def filesize(size: int) -> str:
    """`13 bytes`, `4.1 MB`."""
    return f"{size} bytes" if size < 1000 else humanize.naturalsize(size)


def count(number: int) -> str:
    """`12 345`, grouped by a narrow space that does not break."""
    return f"{number:,}".replace(",", "\u202f")


def register_filters(app: Flask, *, zone: ZoneInfo) -> None:
    """Give templates the filters by their names."""

    def exact_here(moment: datetime) -> str:
        return exact(moment, zone=zone)

    app.jinja_env.filters |= {
        "relative": relative,
        "exact": exact_here,
        "duration": duration,
        "filesize": filesize,
        "count": count,
        "visible": visible,
    }


def _largest(seconds: float) -> str:
    name, size = next(unit for unit in _UNITS if seconds >= unit[1])
    return f"{seconds // size:.0f} {name}"
