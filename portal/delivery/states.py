"""Directions, and the states of a file on its way. Pure."""

from enum import StrEnum


class Direction(StrEnum):
    """Which way the files of a channel go."""

    SEND = "send"
    FETCH = "fetch"


class AfterFetch(StrEnum):
    """What becomes of a file on the server once it is safe here."""

    REMOVE = "remove"
    MOVE = "move"
    KEEP = "keep"


class FileState(StrEnum):
    """Where a file stands. What is open is looked at by the next run."""

    SENDING = "sending"
    RENAMING = "renaming"
    REPLACING = "replacing"
    FETCHING = "fetching"
    STORING = "storing"
    STORED = "stored"
    FAILED = "failed"
    DELIVERED = "delivered"
    RECEIVED = "received"
    QUARANTINED = "quarantined"
    UNCERTAIN = "uncertain"
    RETURNED = "returned"

    @property
    def open(self) -> bool:
        """Whether something is still to be done with it by itself."""
        return self in OPEN


OPEN = (
    FileState.SENDING,
    FileState.RENAMING,
    FileState.REPLACING,
    FileState.FETCHING,
    FileState.STORING,
    FileState.STORED,
    FileState.FAILED,
)
ASIDE = (FileState.QUARANTINED, FileState.UNCERTAIN)
