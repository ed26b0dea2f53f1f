"""A limit for how many bytes a second go over all lines of a run together."""

import threading
import time
from collections.abc import Callable
from typing import IO

from portal.delivery.remote import BLOCK, Read

LEAST = 1024
SLICES = 8  # a second's worth goes in so many pieces
LOOK_SECONDS = 0.5


class Pace:
    """Lets those wait who moved bytes; `rate` is bytes a second, None for no limit."""

    def __init__(
        self,
        rate: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._wait = wait
        self._free_at = clock()
        self._own = threading.Lock()

    @property
    def block(self) -> int:
        """How much to move at once, so that the limit holds also for moments."""
        return BLOCK if self._rate is None else max(LEAST, min(BLOCK, self._rate // SLICES))

    def moved(self, size: int, *, meanwhile: Callable[[], None]) -> None:
        """Wait until so many bytes are within the limit; `meanwhile` is called now and then."""
        if self._rate is None:
            return
        with self._own:
            self._free_at = max(self._free_at, self._clock()) + size / self._rate
            until = self._free_at
        while (left := until - self._clock()) > 0:
            self._wait(min(left, LOOK_SECONDS))
            meanwhile()

    def reading(self, stream: IO[bytes]) -> Read:
        """How a file is read that is sent in pieces of this pace."""
        if self._rate is None:
            return stream.read
        return lambda size: stream.read(min(size, self.block))
