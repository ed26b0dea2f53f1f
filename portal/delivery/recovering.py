"""What to do with a file whose sending was cut off, by what is on the server now. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from portal.delivery.states import FileState


class Next(StrEnum):
    """What the next step is."""

    SEND = "send"
    RENAME = "rename"
    PUBLISH = "publish"
    COMPARE = "compare"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Sizes of the files on the server, None for those that are not there."""

    temporary: int | None
    target: int | None
    backup: int | None = None


def decide(state: FileState, seen: Seen, *, size: int) -> Next:
    """What to do next with a file of `size` bytes whose row says `state`.

    SEND begins anew (the target was not touched). RENAME and PUBLISH go on with the temporary
    file, the latter after the old target was put aside. COMPARE: the target has our size; whether
    it is ours is found by reading it. UNCERTAIN: it may have been delivered and taken since.
    """
    if state is FileState.REPLACING:
        return _replacing(seen, size)
    if state is not FileState.RENAMING:
        return Next.SEND
    if seen.temporary is not None:
        return Next.RENAME if seen.temporary == size else Next.SEND
    return Next.COMPARE if seen.target == size else Next.UNCERTAIN


def _replacing(seen: Seen, size: int) -> Next:
    if seen.temporary is None:
        return Next.COMPARE if seen.target == size else Next.UNCERTAIN
    if seen.backup is None:
        return Next.RENAME if seen.temporary == size else Next.SEND
    if seen.target is None and seen.temporary == size:
        return Next.PUBLISH
    return Next.UNCERTAIN
