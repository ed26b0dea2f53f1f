"""Searching the logs by regular expression, in time that grows with their length only."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import re2

from portal.accounts.permissions import Actor
from portal.datacenter.disk import open_file
from portal.datacenter.logs import files_of, log_names, processor_of
from portal.errors import InvalidError
from portal.rows.processors import Processors
from portal.rows.showing import seen_among

INVALID = "Invalid search expression."
NOTHING = "No search results found."
SHOWN = 1_000
SECONDS = 10.0
EXPRESSION_CHARACTERS = 500
LINE_BYTES = 65_536
_MEMORY = 8_388_608
_LOOK = 1_000


@dataclass(frozen=True, kw_only=True)
class LogResults:
    """The lines of one log that were found, the oldest first."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SearchResults:
    """What a search found, by log. `cut`: there may be more than was looked at or is shown."""

    logs: tuple[LogResults, ...]
    cut: bool

    @property
    def message(self) -> str:
        """What to say where nothing was found; else nothing."""
        return "" if self.logs else NOTHING


def logs_for(folder: Path, *, actor: Actor, processors: Processors) -> list[str]:
    """The logs that `actor` may read: those of processors whose records he may see."""
    names = log_names(folder)
    seen = set(seen_among(map(processor_of, names), processors, actor))
    return [name for name in names if processor_of(name) in seen]


def search_logs(
    folder: Path,
    expression: str,
    *,
    logs: Sequence[str] | None = None,
    limit: int = SHOWN,
    seconds: float = SECONDS,
) -> SearchResults:
    """Look for `expression` in all logs, or in those called so, older files included.

    Raises InvalidError for an expression that is none. Look-around and back references are none:
    with them, no engine could promise to come to an end.
    """
    pattern = _compiled(expression)
    until = time.monotonic() + seconds
    found: list[LogResults] = []
    left, cut = limit, False
    for log in log_names(folder):
        if logs is None or log in logs:
            lines, over = _found_in(files_of(folder, log), pattern, limit=left, until=until)
            left, cut = left - len(lines), cut or over
            if lines:
                found.append(LogResults(name=log, lines=tuple(lines)))
    return SearchResults(logs=tuple(found), cut=cut)


def _compiled(expression: str) -> "re2._Regexp[bytes]":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        if not expression or len(expression) > EXPRESSION_CHARACTERS:
            raise InvalidError(INVALID)
        return re2.compile(expression.encode(), options=options)
    except (re2.error, UnicodeEncodeError) as error:
        raise InvalidError(INVALID) from error


def _found_in(
    files: list[Path], pattern: "re2._Regexp[bytes]", *, limit: int, until: float
) -> tuple[list[str], bool]:
    found: list[str] = []
    for number, line in enumerate(_lines(files)):
        if number % _LOOK == 0 and time.monotonic() > until:
            return found, True
        if pattern.search(line):
            if len(found) >= limit:
                return found, True
            found.append(line.decode(errors="replace"))
    return found, False


def _lines(files: list[Path]) -> Iterator[bytes]:
    """The lines of all files; one that is too long comes in pieces."""
    for path in files:
        try:
            handle = open_file(path)
        except OSError:  # no file, or put by a moment ago
            continue
        with os.fdopen(handle, "rb") as stream:
            while line := stream.readline(LINE_BYTES):
                yield line.removesuffix(b"\n")
