"""How lines are split into cells, judged by trying each way that the text allows."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import InvalidError
from portal.tabular.lines import split_lines

LINE_ENDS = ("\r\n", "\n", "\r")
QUOTINGS = ("minimal", "all", "text")
DELIMITERS = (",", ";", "\t", "|", ":", "^", "~", "!", "¦", "§", "\x1f", "\x01", " ")
_LIKELY = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 0.95, ":": 0.3, "!": 0.3, " ": 0.2}
_UNLIKELY = 0.8
_HINTED = 2.0
_ONE_COLUMN = 0.1
_BROKEN = 0.05
_TITLE_ONLY = 0.15
_JUDGED_CHARACTERS = 65_536
_JUDGED_CELLS = 2_000
_SEP_LINE = re.compile(r"(\"?)sep=([^\w\r\n\"'\\])\1(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_][\w .'’/()&%#€$°+-]*", re.UNICODE)
_FIGURES = re.compile(
    r"[+-]?(?:\d{1,3}(?:[.,' ]\d{3})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d+)? ?[%€$£]?"
    r"|\d{1,4}([./-])\d{1,2}\1\d{1,4}"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d{1,2}:\d{2}(?::\d{2})?"
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|https?://[^\s,;|]+")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What parts and quotes cells; `skip_space` leaves out spaces that follow a delimiter."""

    delimiter: str = ","
    quote: str = '"'
    doubled: bool = True
    skip_space: bool = False

    def check(self) -> None:
        """Raise InvalidError if no text can be split so."""
        taken = "\r\n\0" + ("" if self.doubled else "\\")
        if len(self.delimiter) != 1 or self.delimiter in taken:
            raise InvalidError(f"{self.delimiter!r} cannot part cells; choose one other character.")
        if len(self.quote) > 1 or (self.quote and self.quote in taken + self.delimiter):
            raise InvalidError(f"{self.quote!r} cannot quote cells; choose one other character.")
        if self.skip_space and (not self.quote or " " in (self.delimiter, self.quote)):
            raise InvalidError("Spaces can be left out only before quotes that are no spaces.")

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Return a `csv.reader` of the lines that takes nothing behind a closing quote."""
        return csv.reader(lines, **self.options() | {"strict": True, "doublequote": True})

    def options(self) -> dict[str, Any]:
        """Return it as what `csv.writer` takes."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "doublequote": self.doubled,
            "escapechar": None if self.doubled else "\\",
            "skipinitialspace": self.skip_space,
        }


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How well a dialect splits the sample: `score` is higher for better.

    `broken`: it cannot split all of it. `has_quotes`: cells begin and end with a quote that it
    does not take for one.
    """

    dialect: Dialect
    score: float
    columns: int
    broken: bool = False
    has_quotes: bool = False


def after_sep_line(text: str) -> tuple[str, str]:
    """Return the delimiter that Excel's first line `sep=;` names, if there is one, and the rest."""
    found = _SEP_LINE.match(text)
    return (found.group(2), text[found.end() :]) if found else ("", text)


def try_dialects(text: str, *, whole: bool, hint: str = "") -> list[Trial]:
    """Return how each dialect fits the beginning of a text, the best first; never empty.

    `hint` is a delimiter that is likelier than others, from the name of the file. The time is
    linear in the text, of which no more than 64 kB are looked at.
    """
    sample = text[:_JUDGED_CHARACTERS]
    cut = not whole or len(sample) < len(text)
    lines = list(split_lines(sample))
    if cut and len(lines) > 1:
        lines.pop()
    trials = [_one_column(sample, lines, cut=cut, hint=hint)]
    for delimiter in dict.fromkeys((*DELIMITERS, *hint)):
        if delimiter in sample:
            ways = _ways(delimiter, sample)
            tried = [_try(dialect, lines, cut=cut, hint=hint) for dialect in ways]
            trials += _preferring_quotes(tried)
    return sorted(trials, key=lambda trial: -trial.score)


def _ways(delimiter: str, sample: str) -> Iterator[Dialect]:
    """The dialects with this delimiter: quotes doubled first, no quotes second, then the rare."""
    for quote, doubled in (('"', True), ("", True), *_rare_quotings(delimiter, sample)):
        yield Dialect(delimiter=delimiter, quote=quote, doubled=doubled)
        if quote and delimiter != " " and f"{delimiter} {quote}" in sample:
            yield Dialect(delimiter=delimiter, quote=quote, doubled=doubled, skip_space=True)


def _rare_quotings(delimiter: str, sample: str) -> Iterator[tuple[str, bool]]:
    if '\\"' in sample:
        yield ('"', False)
    if f"\\{delimiter}" in sample:
        yield ("", False)
    if sample.startswith("'") or f"{delimiter}'" in sample:
        yield ("'", True)
        if "\\'" in sample:
            yield ("'", False)


def _preferring_quotes(tried: list[Trial]) -> list[Trial]:
    """Where quotes are broken, take that for a fault of the file, not for a file without quotes.

    Of files with tabs or bars many have no quotes: there they must be seen to be used.
    """
    plain = next(trial for trial in tried if not trial.dialect.quote and trial.dialect.doubled)
    quoted = tried[0]
    if quoted.broken and (quoted.dialect.delimiter in ",;" or plain.has_quotes):
        tried[0] = replace(quoted, score=max(quoted.score, plain.score * 1.01))
    return tried


def _try(dialect: Dialect, lines: list[str], *, cut: bool, hint: str) -> Trial:
    rows, broken = _split(lines, dialect, cut=cut)
    rows = [row for row in rows if row]
    if not rows:
        return Trial(dialect=dialect, score=0.0, columns=0, broken=broken)
    widths = Counter(map(len, rows))
    columns, often = max(widths.items(), key=lambda one: (one[1], one[0]))
    regular = often / len(rows)
    first = len(rows[0])
    heading = 1.0 if first == columns else 0.7 if first > 1 else _TITLE_ONLY
    clean, figures = _cleanness(rows)
    score = regular * heading * (columns - 1) / columns * (0.2 + 0.8 * clean)
    score *= _prior(dialect, figures, hint=hint) * (_BROKEN if broken else 1.0)
    quotes = not dialect.quote and any(_is_quoted(cell) for row in rows for cell in row)
    return Trial(dialect=dialect, score=score, columns=columns, broken=broken, has_quotes=quotes)


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _prior(dialect: Dialect, figures: float, *, hint: str) -> float:
    likely = _LIKELY.get(dialect.delimiter, _UNLIKELY)
    if dialect.delimiter == " " and figures > 0.5:
        likely = 0.6
    if dialect.delimiter == hint:
        likely *= _HINTED
    if not dialect.quote:
        likely *= 0.7
    if not dialect.doubled or dialect.skip_space or dialect.quote == "'":
        likely *= 0.95
    return likely


def _split(lines: Iterable[str], dialect: Dialect, *, cut: bool) -> tuple[list[list[str]], bool]:
    """Split as far as can be; a quote that is open where the sample was cut is no fault."""
    rows: list[list[str]] = []
    try:
        rows.extend(dialect.reader(lines))
    except csv.Error as error:
        at_end = "end of data" in str(error)
        return rows, not (cut and at_end and rows)
    return rows, False


def _cleanness(rows: list[list[str]]) -> tuple[float, float]:
    """Which share of the cells look like words, figures or dates, and which like figures."""
    clean = figures = total = 0
    for row in rows:
        for cell in row[:64]:
            total += 1
            kind = _kind(cell[:100].strip())
            clean += kind != ""
            figures += kind == "figure"
        if total > _JUDGED_CELLS:
            break
    return clean / total, figures / total


def _kind(cell: str) -> str:
    if not cell:
        return "empty"
    if _FIGURES.fullmatch(cell):
        return "figure"
    if _WORDS.fullmatch(cell) or _ADDRESS.fullmatch(cell):
        return "word"
    return ""


def _one_column(sample: str, lines: list[str], *, cut: bool, hint: str) -> Trial:
    """A text of one column: the delimiter is one that it does not have."""
    free = [one for one in (hint, *DELIMITERS) if one and one not in sample]
    dialect = Dialect(delimiter=free[0] if free else ",")
    _, broken = _split(lines, dialect, cut=cut)
    if broken:
        dialect = Dialect(delimiter=dialect.delimiter, quote="")
    return Trial(dialect=dialect, score=_ONE_COLUMN, columns=1)
