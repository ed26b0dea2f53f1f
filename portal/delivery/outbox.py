"""What a spool has to send: files of `new`, with the facts that tell one from a later one."""

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

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


@dataclass
class Counted:
    """Adds up what goes over the line: its length and sums; tells `also` of each block.

    `algorithm` is one that the server tells, so that both can be compared.
    """

    also: Callable[[int], None]
    algorithm: str = ""
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        other = self.algorithm not in ("", self.digest.name)
        self._other = hashlib.new(self.algorithm, usedforsecurity=False) if other else self.digest

    def __call__(self, block: bytes) -> None:
        self.size += len(block)
        self.digest.update(block)
        if self._other is not self.digest:
            self._other.update(block)
        self.also(len(block))

    @property
    def shared(self) -> str:
        """The sum that the server may tell, too."""
        return str(self._other.hexdigest())

    @property
    def sha256(self) -> str:
        """The sum of all blocks so far."""
        return str(self.digest.hexdigest())


def _waiting(name: str, facts: os.stat_result) -> Waiting:
    identity = f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"
    return Waiting(name=name, size=facts.st_size, identity=identity)
