"""What a spreadsheet stores, as the text that a person would have typed. Pure."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum

_NOISE_FROM = 16
_EXACT_DIGITS = 15
_SIGNIFICANT_AT_MOST = 12
_LAST_SERIAL = 2_958_465
_DAY_THAT_NEVER_WAS = 60
_MS_PER_DAY = 86_400_000
_MS_PER_HOUR = 3_600_000
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (spreadsheets know no time zones)
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 (the same)
_PLAIN = r"-?(?:0|[1-9][0-9]{0,7})\.[0-9]{0,6}[1-9]|0|-?[1-9][0-9]*"
_IS_PLAIN = re.compile(rf"(?:{_PLAIN})\Z")
_ARE_PLAIN = re.compile(rf"(?:{_PLAIN})(?:\n(?:{_PLAIN}))*+\Z")
_NOT_PLAIN = re.compile(rf"^(?!(?:{_PLAIN})$).*$", re.MULTILINE)
_ISO_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T(\d+)H(\d+)M(\d+)(?:[.,](\d+))?S\Z")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NOT_CODE = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)


class Kind(Enum):
    """How a cell's format makes people read its number."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"


def kind_of_format(code: str) -> Kind:
    """Tell from a number format's code whether numbers in it are dates, times or plain numbers.

    ECMA-376 part 1, 18.8.31: only the first section counts, and what is quoted means nothing.
    """
    bare = _NOT_CODE.sub("", code).split(";")[0].lower()
    if "general" in bare:
        return Kind.NUMBER
    if _ELAPSED.search(bare):
        return Kind.DURATION
    if "y" in bare or "d" in bare:
        return Kind.DATE
    if "h" in bare or "s" in bare:
        return Kind.TIME
    return Kind.DATE if "m" in bare else Kind.NUMBER


def number_texts(raw: Sequence[str], *, one: Callable[[str], str]) -> Sequence[str]:
    """Write many stored numbers, most of which stand there as `number_text` writes them.

    `one` writes each of the others.
    """
    joined = "\n".join(raw)
    if joined.count("\n") != len(raw) - 1:
        return list(map(one, raw))
    if _ARE_PLAIN.match(joined):
        return raw
    return _NOT_PLAIN.sub(lambda found: one(found[0]), joined).split("\n")


def number_text(raw: str) -> str:
    """Write a stored number plainly: no exponent, no `.0`, no noise of binary fractions.

    Whole numbers keep all their digits. 0.30000000000000004 becomes 0.3, as the programs show it,
    while 0.6666666666666666 stays. Raises ValueError where `raw` is no number.
    """
    if _IS_PLAIN.match(raw):
        return raw
    value = float(raw)
    if not math.isfinite(value):
        raise ValueError(raw)
    plain = format(Decimal(raw.strip()), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    if plain in ("-0", "-", ""):
        return "0"
    return _without_noise(value, plain) if "." in plain else plain


def _without_noise(value: float, plain: str) -> str:
    digits = len(plain.lstrip("-0.").replace(".", ""))
    if digits < _NOISE_FROM:
        return plain
    short = format(Decimal(f"{value:.{_EXACT_DIGITS}g}"), "f")
    short = short.rstrip("0").rstrip(".") if "." in short else short
    fewer = len(short.lstrip("-0.").replace(".", "")) <= _SIGNIFICANT_AT_MOST
    return short if fewer else format(Decimal(repr(value)), "f")


def serial_text(raw: str, kind: Kind, *, from_1904: bool = False) -> str:
    """Write a stored number as its format means it: 2024-02-29, 2024-02-29 10:00:01, 26:30:00.

    A number beyond the year 9999 stays a number. Excel's 1900-01-00 and 1900-02-29 are written as
    Excel shows them; they are no dates, and converting them says so.
    """
    value = float(raw)
    if kind is Kind.NUMBER or not math.isfinite(value):
        return number_text(raw)
    if kind is Kind.DURATION:
        return duration_text(round(value * _MS_PER_DAY))
    if 0 <= value < 1 and (kind is Kind.TIME or value):
        return duration_text(round(value * _MS_PER_DAY))
    if not -_LAST_SERIAL < value < _LAST_SERIAL + 1 or (from_1904 and value < 0):
        return number_text(raw)
    return _moment_1904(value) if from_1904 else _moment_1900(value)


def moment_text(moment: datetime) -> str:
    """Write a moment in ISO 8601, without the time where it is midnight."""
    if moment.time() == time():
        return moment.date().isoformat()
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(" ", timespec=timespec)


def iso_moment_text(raw: str) -> str:
    """Write a stored ISO date or moment as `moment_text` does; anything else as it is."""
    try:
        return moment_text(datetime.fromisoformat(raw))
    except ValueError:
        return raw


def iso_duration_text(raw: str) -> str:
    """Write a stored PT26H30M00S as 26:30:00; anything else as it is."""
    found = _ISO_DURATION.match(raw)
    if not found:
        return raw
    sign, days, hours, minutes, seconds, fraction = found.groups()
    ms = (int(days or 0) * 24 + int(hours)) * _MS_PER_HOUR + int(minutes) * 60_000
    ms += int(seconds) * 1000 + round(float(f"0.{fraction or 0}") * 1000)
    return duration_text(-ms if sign else ms)


def duration_text(ms: int) -> str:
    """Write milliseconds as HH:MM:SS, with a fraction only where there is one."""
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    hours, rest = divmod(ms, _MS_PER_HOUR)
    minutes, rest = divmod(rest, 60_000)
    seconds, fraction = divmod(rest, 1000)
    text = f"{sign}{hours:02}:{minutes:02}:{seconds:02}"
    return f"{text}.{fraction:03}" if fraction else text


def boolean_text(raw: str) -> str:
    """Write a stored truth value as every spreadsheet program shows it."""
    return "TRUE" if raw.strip().lower() in ("1", "true") else "FALSE"


def unescaped(text: str) -> str:
    """Undo `_x000D_`, by which workbooks write characters that XML cannot (ECMA-376, 22.9.2.19)."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(_unescaped_character, text)


def value_text(value: object) -> str:
    """Write a value that another reader has already made of a cell."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return number_text(repr(value))
    return _moment_value_text(value)


def _moment_value_text(value: object) -> str:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        value = datetime.combine(date.min, value) - datetime.combine(date.min, time())
    if isinstance(value, timedelta):
        return duration_text(round(value / timedelta(milliseconds=1)))
    return str(value)


def _moment_1904(value: float) -> str:
    return moment_text(_EPOCH_1904 + timedelta(milliseconds=round(value * _MS_PER_DAY)))


def _moment_1900(value: float) -> str:
    """Excel counts a 29 February 1900 (serial 60), so that days before it are one off."""
    ms = round(value * _MS_PER_DAY)
    day = ms // _MS_PER_DAY
    if day in (0, _DAY_THAT_NEVER_WAS):
        return "1900-02-29" if day else "1900-01-00"
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment_text(moment + timedelta(days=1) if 0 < day < _DAY_THAT_NEVER_WAS else moment)


def _unescaped_character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    surrogate = 0xD800 <= code <= 0xDFFF
    return found[0] if surrogate else chr(code)
