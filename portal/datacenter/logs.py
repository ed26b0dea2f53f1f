"""The logs of processing: one file per processor, one line per event, never rewritten.

A line reads `time - LEVEL - user - message`. Line breaks and other control characters in what
people wrote are escaped, so that nobody can forge a line.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from portal.datacenter.disk import names_in
from portal.datacenter.names import disk_name, shown_name
from portal.files import move_new
from portal.visible import visible

LOG = ".log"
ROTATE_BYTES = 10_000_000
_ROTATED = re.compile(r"(?P<name>.+\.log)\.(?P<number>[0-9]{1,9})")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that is logged: who did it, with which processor, and what to say of it."""

    processor: str
    user: str
    message: str
    level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Processed:
    """The sums of a run. `seconds` is how long it took."""

    path: Path
    mode: str
    lines: int
    successful: int
    failed: int
    seconds: float

    def __str__(self) -> str:
        """The original's line: path, mode, counts, time in all and for each line."""
        each = self.seconds / self.lines if self.lines else 0.0
        return (
            f"processed: {self.path}, {self.mode} mode, {self.lines} lines "
            f"({self.successful} successful/ {self.failed} failed), "
            f"{self.seconds:.3f} s ({each:.4f} s/item)"
        )


def updated_message(
    processor: str, *, file: str, key: str, values: Mapping[str, object], done: str = "updated"
) -> str:
    """The original's line about one record: `<Processor> - <file> - <id> - updated: k=v, k=v`."""
    changes = ", ".join(f"{name}={value}" for name, value in values.items())
    return f"{processor} - {file} - {key} - {done}: {changes}".rstrip(": ")


def append_event(
    folder: Path, event: Event, *, now: datetime, zone: tzinfo, limit: int = ROTATE_BYTES
) -> None:
    """Add a line to the processor's log in one write; a log that is long enough is put by first."""
    append_events(folder, [event], now=now, zone=zone, limit=limit)


def append_events(
    folder: Path,
    events: list[Event],
    *,
    now: datetime,
    zone: tzinfo,
    limit: int = ROTATE_BYTES,
) -> None:
    """Add the lines of many events of one processor at once."""
    if not events:
        return
    path = folder / f"{disk_name(events[0].processor)}{LOG}"
    with suppress(FileNotFoundError):
        if path.stat(follow_symlinks=False).st_size >= limit:
            _put_by(path)
    lines = "".join(line_of(event, now=now, zone=zone) + "\n" for event in events)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        stream.write(lines.encode(errors="replace"))


def line_of(event: Event, *, now: datetime, zone: tzinfo) -> str:
    """The line of an event, without its end."""
    time = now.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") + f",{now.microsecond // 1000:03d}"
    return f"{time} - {event.level} - {visible(event.user)} - {visible(event.message)}"


def log_names(folder: Path) -> list[str]:
    """The logs there are, without the older files of each."""
    found = names_in(folder)
    older = {match["name"] for name in found if (match := _ROTATED.fullmatch(name))}
    return sorted({name for name in found if name.endswith(LOG)} | older)


def processor_of(name: str) -> str:
    """The processor whose log is called `name`."""
    return shown_name(name.removesuffix(LOG))


def files_of(folder: Path, name: str) -> list[Path]:
    """The files of a log, the oldest first."""
    found = [match for other in names_in(folder) if (match := _ROTATED.fullmatch(other))]
    numbers = sorted(int(match["number"]) for match in found if match["name"] == name)
    older = [folder / f"{name}.{number}" for number in numbers]
    return [*older, folder / name] if (folder / name).exists() else older


def _put_by(path: Path) -> None:
    """Give the log the next number; where another process just did, there is nothing to do."""
    numbers = [int(file.name.rpartition(".")[2]) for file in files_of(path.parent, path.name)[:-1]]
    with suppress(FileNotFoundError, FileExistsError):
        move_new(path, path.with_name(f"{path.name}.{max(numbers, default=0) + 1}"))
