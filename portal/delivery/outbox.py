"""What a spool has to send: files of `new`, with the facts that tell one from a later one."""

import os
import stat
from dataclasses import dataclass
from typing import IO

from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.spool import Space, Spool


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A file that waits in `new`."""

    name: str
    size: int
    identity: str


def waiting(spool: Spool, name: str) -> Waiting | None:
    """The file with this name in `new`; None where it is gone."""
    try:
        facts = os.lstat(spool.path(name, Space.NEW))
    except FileNotFoundError:
        return None
    return _waiting(name, facts) if stat.S_ISREG(facts.st_mode) else None


def open_waiting(spool: Spool, expected: Waiting) -> IO[bytes]:
    """Open it for reading. Raises DeliveryError where it is not the file that was expected."""
    path = spool.path(expected.name, Space.NEW)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        said = error.strerror or "it cannot be opened"
        raise DeliveryError(Reason.PERMISSION, f"{expected.name} in the spool: {said}.") from error
    stream = os.fdopen(handle, "rb")
    check_unchanged(stream, expected)
    return stream


def check_unchanged(stream: IO[bytes], expected: Waiting) -> None:
    """Raise DeliveryError where the open file is not what it was when it was listed."""
    if _waiting(expected.name, os.fstat(stream.fileno())) == expected:
        return
    raise DeliveryError(
        Reason.INTEGRITY,
        f"{expected.name} changes while it is being sent. Write files in 'tmp' and move them to "
        "'new' when they are whole.",
    )


def _waiting(name: str, facts: os.stat_result) -> Waiting:
    identity = f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"
    return Waiting(name=name, size=facts.st_size, identity=identity)
