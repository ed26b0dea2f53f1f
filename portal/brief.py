"""Values that are kept for a moment, where making them anew each time costs too much."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Brief(Generic[T]):
    """Keeps the newest `most` values for `seconds` each. Two threads may make the same one."""

    def __init__(self, *, seconds: float, most: int = 512) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._seconds = seconds
        self._most = most

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, made anew where it is older than that."""
        now = time.monotonic()
        known = self._kept.get(key)
        if known is not None and known[0] > now:
            return known[1]
        value = make()
        self._kept[key] = (now + self._seconds, value)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value
