"""Whether a file may be uploaded. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.datacenter import names
from portal.errors import InvalidError

MEGABYTE = 1_000_000
SAME_NAME = "File with same name was uploaded earlier"
TOO_MANY = "Maximum number of files in the data center exceeded."


class RefusedUploadError(InvalidError):
    """The file is not taken; the message says why. Nothing of it is kept."""


class PendingStandsError(RefusedUploadError):
    """A pending file of this name waits; it is replaced only where that is asked for."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The most there may be: of one file, of all, of files that wait; and what must stay free."""

    file_mb: int
    quota_mb: int
    reserve_mb: int
    pending: int


@dataclass(frozen=True, kw_only=True)
class Met:
    """What lies in the storage: names by folder, bytes in all, bytes free on its disk."""

    root: frozenset[str]
    finished: frozenset[str]
    unfinished: frozenset[str]
    used: int
    free: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A file as it is offered: its name on disk, its size as far as known."""

    name: str
    size: int
    replace: bool


def refuse(offer: Offer, *, met: Met, bounds: Bounds) -> None:
    """Raise RefusedUploadError with the first reason there is against the file."""
    for reason in _REASONS:
        message = reason(offer, met, bounds)
        if message:
            raise RefusedUploadError(message)
    if replaces(offer, met) and not offer.replace:
        raise PendingStandsError(
            f"{names.shown_name(offer.name)} waits to be repaired already. "
            "Say that yours shall take its place."
        )


def refuse_size(size: int, *, limit_mb: int) -> None:
    """Raise RefusedUploadError once more has come than one file may have."""
    if size > limit_mb * MEGABYTE:
        raise RefusedUploadError(_larger(limit_mb))


def replaces(offer: Offer, met: Met) -> bool:
    """Whether the file is a pending one that waits under the same name."""
    return offer.name.endswith(names.PENDING) and offer.name in met.root


def _extension(offer: Offer, _met: Met, _bounds: Bounds) -> str:
    if names.is_data(offer.name):
        return ""
    known = ", ".join(names.EXTENSIONS)
    return f"Only CSV files and spreadsheets are taken; their names end in {known}."


def _same_name(offer: Offer, met: Met, _bounds: Bounds) -> str:
    others = (met.root - {offer.name}) if replaces(offer, met) else met.root
    taken = {names.key(name) for name in (*others, *met.finished, *met.unfinished)}
    return SAME_NAME if names.key(offer.name) in taken else ""


def _too_many(offer: Offer, met: Met, bounds: Bounds) -> str:
    waiting = sum(map(names.is_data, met.root)) - replaces(offer, met)
    return TOO_MANY if waiting >= bounds.pending else ""


def _too_large(offer: Offer, _met: Met, bounds: Bounds) -> str:
    if offer.size <= bounds.file_mb * MEGABYTE:
        return ""
    return _larger(bounds.file_mb)


def _larger(limit_mb: int) -> str:
    return f"The file is larger than {limit_mb:,} MB (PORTAL_UPLOAD_LIMIT_MB)."


def _no_room(offer: Offer, met: Met, bounds: Bounds) -> str:
    if met.used + offer.size > bounds.quota_mb * MEGABYTE:
        return f"The data center would exceed {bounds.quota_mb:,} MB (PORTAL_DATACENTER_QUOTA_MB)."
    if met.free - offer.size < bounds.reserve_mb * MEGABYTE:
        return (
            f"The disk has {met.free / MEGABYTE:,.0f} MB left; "
            f"{bounds.reserve_mb:,} MB stay free (PORTAL_DISK_RESERVE_MB)."
        )
    return ""


_REASONS: tuple[Callable[[Offer, Met, Bounds], str], ...] = (
    _extension,
    _same_name,
    _too_many,
    _too_large,
    _no_room,
)
