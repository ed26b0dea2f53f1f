"""How far each file of a run is. Lives in Redis, throttled; without Redis pages show less."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

KEEP_SECONDS = 600
EVERY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A file on its way: `done` of `size` bytes went over the line."""

    name: str
    done: int
    size: int

    @property
    def percent(self) -> int:
        """Whole percent; an empty file is there at once."""
        return min(100, self.done * 100 // self.size) if self.size else 100


class FileMeter:
    """Collects how far files are and writes it at most twice a second."""

    def __init__(
        self, redis: Redis, job_id: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = redis
        self._key = _key(job_id)
        self._clock = clock
        self._written_at = float("-inf")
        self._files: dict[str, list[int]] = {}

    def begin(self, name: str, size: int, *, done: int = 0) -> Callable[[int], None]:
        """A file goes on its way; what is returned is told of each further bytes."""
        self._files[name] = [done, size]
        self._write_sometimes()

        def told(length: int) -> None:
            if name in self._files:
                self._files[name][0] += length
                self._write_sometimes()

        return told

    def end(self, name: str) -> None:
        """It is on its way no more."""
        self._files.pop(name, None)
        self._write_sometimes()

    def _write_sometimes(self) -> None:
        now = self._clock()
        if now - self._written_at < EVERY_SECONDS:
            return
        self._written_at = now
        with suppress(RedisError):  # it is for watching only
            self._redis.set(self._key, json.dumps(dict(self._files)), ex=KEEP_SECONDS)


def transfers_of(redis: Redis, job_id: str) -> Sequence[Transfer]:
    """The files that a run is busy with; none where Redis does not answer."""
    try:
        raw = cast("bytes | None", redis.get(_key(job_id)))
    except RedisError:
        return ()
    found: dict[str, list[int]] = json.loads(raw) if raw else {}
    return [Transfer(name=name, done=done, size=size) for name, (done, size) in found.items()]


def _key(job_id: str) -> str:
    return f"portal:delivery:{job_id}"
