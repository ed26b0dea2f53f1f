"""How long answers take. Every web process adds its counts to one sum in Redis now and then.

A scrape reaches one process of several, so a process's own counts would jump from scrape to
scrape; the sum in Redis does not, and outlives restarts.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FLUSH_SECONDS = 5.0
_KEY = "portal:http"
_SUM = "sum"
_INFINITY = "+Inf"
_NAMES = (*(str(bound) for bound in BOUNDS), _INFINITY)

Series = tuple[str, str, str]


class Latency:
    """The counts of this process that are not in the sum yet."""

    def __init__(self) -> None:
        self._counts: Counter[Series] = Counter()
        self._seconds: Counter[Series] = Counter()
        self._lock = threading.Lock()
        self._flushed_at = time.monotonic()

    def observe(self, redis: Redis, *, endpoint: str, status: int, seconds: float) -> None:
        """Count one answer; every few seconds the counts go to Redis."""
        group = f"{status // 100}xx"
        with self._lock:
            self._counts[endpoint, group, _NAMES[bisect_left(BOUNDS, seconds)]] += 1
            self._seconds[endpoint, group, _SUM] += seconds  # type: ignore[assignment]  # Counter adds floats too
            due = time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        if due:
            self.flush(redis)

    def flush(self, redis: Redis) -> None:
        """Add the counts to the sum; they are kept for later where Redis is away."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            seconds, self._seconds = self._seconds, Counter()
            self._flushed_at = time.monotonic()
        try:
            with redis.pipeline(transaction=True) as pipe:
                for series, count in counts.items():
                    pipe.hincrby(_KEY, "|".join(series), count)
                for series, sums in seconds.items():
                    pipe.hincrbyfloat(_KEY, "|".join(series), sums)
                pipe.execute()
        except RedisError:
            with self._lock:
                self._counts.update(counts)
                self._seconds.update(seconds)


def read_latency(redis: Redis) -> dict[tuple[str, str], tuple[list[tuple[str, float]], float]]:
    """By endpoint and status: cumulative buckets and the sum of seconds; raises RedisError."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for field, value in cast("dict[bytes, bytes]", redis.hgetall(_KEY)).items():
        endpoint, group, name = field.decode().split("|")
        found.setdefault((endpoint, group), {})[name] = float(value)
    return {key: (_cumulative(values), values.get(_SUM, 0.0)) for key, values in found.items()}


def _cumulative(values: dict[str, float]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for name in _NAMES:
        total += values.get(name, 0.0)
        buckets.append((name, total))
    return buckets


LATENCY = Latency()
