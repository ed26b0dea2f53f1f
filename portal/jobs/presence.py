"""Which workers live: each shows itself in Redis under a key that fades away without it."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass

from redis import Redis
from redis.exceptions import RedisError

FADE_SECONDS = 45
EVERY_SECONDS = 2.0
_PREFIX = "portal:worker:"


@dataclass(frozen=True, kw_only=True)
class LiveWorker:
    """A worker as it last showed itself; `seen_at` in seconds since the epoch."""

    host: str
    pid: int
    queue: str
    job_id: str | None
    seen_at: float


class Presence:
    """Shows one worker; Redis away is no harm."""

    def __init__(self, redis: Redis, *, queue: str) -> None:
        self.job_id: str | None = None
        self._redis = redis
        self._queue = queue
        self._host = socket.gethostname()
        self._key = f"{_PREFIX}{self._host}:{os.getpid()}"
        self._shown: tuple[float, str | None] = (float("-inf"), None)

    def beat(self) -> None:
        """Show this worker again, unless it did so a moment ago with the same job."""
        now = time.monotonic()
        shown_at, job_id = self._shown
        if now - shown_at < EVERY_SECONDS and job_id == self.job_id:
            return
        worker = LiveWorker(
            host=self._host,
            pid=os.getpid(),
            queue=self._queue,
            job_id=self.job_id,
            seen_at=time.time(),
        )
        try:
            self._redis.set(self._key, json.dumps(asdict(worker)), ex=FADE_SECONDS)
        except RedisError:
            return
        self._shown = (now, self.job_id)

    def leave(self) -> None:
        """Take the key away."""
        try:
            self._redis.delete(self._key)
        except RedisError:
            return


def live_workers(redis: Redis) -> list[LiveWorker]:
    """All workers that showed themselves lately; raises RedisError."""
    keys = list(redis.scan_iter(f"{_PREFIX}*", count=1000))
    values = redis.mget(keys) if keys else []
    return [LiveWorker(**json.loads(value)) for value in values if value]
