"""What lies in `new` of a spool: to be sent, or fetched and to be taken by others."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from portal.delivery.models import Channel
from portal.delivery.spool import Space, Spool

LISTED = 8


@dataclass(frozen=True, kw_only=True)
class LyingFile:
    """A file in `new`; `refused` says why its name cannot be sent, empty where it can."""

    name: str
    size: int
    changed: datetime
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How many files lie there, and the first of them by name. `fault`: why nobody knows."""

    count: int | None
    first: Sequence[LyingFile] = ()
    fault: str = ""


def count_lying(channel: Channel) -> int | None:
    """How many files lie in `new`; None where the folder cannot be read."""
    folder = Path(channel.spool) / Space.NEW
    try:
        with os.scandir(folder) as found:
            return sum(entry.is_file(follow_symlinks=False) for entry in found)
    except FileNotFoundError:
        return 0
    except OSError:
        return None


def look_into(channel: Channel) -> Backlog:
    """The backlog with its first files."""
    spool = Spool(Path(channel.spool))
    try:
        refused = spool.refused(Space.NEW)
        names = sorted([*refused, *spool.names(Space.NEW)])
    except OSError as error:
        return Backlog(count=None, fault=f"The spool cannot be read: {error.strerror}.")
    shown = [_lying(spool, name, refused.get(name, "")) for name in names[:LISTED]]
    return Backlog(count=len(names), first=[file for file in shown if file is not None])


def _lying(spool: Spool, name: str, refused: str) -> LyingFile | None:
    """None where it was taken since the folder was listed."""
    try:
        facts = os.lstat(spool.root / Space.NEW / name)
    except OSError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        return None
    changed = datetime.fromtimestamp(facts.st_mtime, UTC)
    return LyingFile(name=name, size=facts.st_size, changed=changed, refused=refused)
