"""Adding up what goes over the line. Of large files the sums are made beside the sending."""

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

LARGE = 8 * 1024 * 1024
AHEAD = 8  # blocks that wait for being added up


class Counted:
    """The length and sums of all blocks that it was called with; tells `also` of each length.

    `algorithm` is one that the server tells, so that both can be compared.
    """

    def __init__(
        self, *, also: Callable[[int], None], algorithm: str = "", expected: int = 0
    ) -> None:
        self.also = also
        self.size = 0
        self._digest = hashlib.sha256()
        other = algorithm not in ("", self._digest.name)
        self._other = hashlib.new(algorithm, usedforsecurity=False) if other else self._digest
        self._beside = ThreadPoolExecutor(1, "sums") if expected >= LARGE else None
        self._waiting: deque[Future[None]] = deque()

    def __call__(self, block: bytes) -> None:
        """Count a block."""
        self.size += len(block)
        if self._beside is None:
            self._add(block)
        else:
            self._waiting.append(self._beside.submit(self._add, block))
            if len(self._waiting) > AHEAD:
                self._waiting.popleft().result()
        self.also(len(block))

    @property
    def sha256(self) -> str:
        """The sum of all blocks so far."""
        self._settle()
        return self._digest.hexdigest()

    @property
    def shared(self) -> str:
        """The sum that the server may tell, too."""
        self._settle()
        return self._other.hexdigest()

    def _add(self, block: bytes) -> None:
        self._digest.update(block)
        if self._other is not self._digest:
            self._other.update(block)

    def _settle(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()
