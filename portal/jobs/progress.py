"""How far a running job is. Lives in Redis, throttled; a page without Redis does without it."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

KEEP_SECONDS = 24 * 3600
EVERY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Stage, done of total (in `unit`s), per-second rate, seconds to go, last message."""

    stage: str = ""
    done: int = 0
    total: int | None = None
    unit: str = ""
    rate: float | None = None
    eta: float | None = None
    message: str = ""
    attempt: int = 0

    @property
    def percent(self) -> int | None:
        """Whole percent of the stage, None where the total is unknown."""
        if not self.total:
            return None
        return min(100, self.done * 100 // self.total)


def progress_key(job_id: str) -> str:
    """Where Redis keeps a job's progress."""
    return f"portal:progress:{job_id}"


def from_json(values: dict[str, Any]) -> Progress | None:
    """The progress that `values` tells, None for an empty record."""
    return Progress(**values) if values else None


class ProgressMeter:
    """Collects what a task says and writes it at most twice a second; Redis away is no harm."""

    def __init__(
        self,
        redis: Redis,
        job_id: str,
        attempt: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._key = progress_key(job_id)
        self._written_at = float("-inf")
        self._stage_began = clock()
        self._done_before = 0
        self.last = Progress(attempt=attempt)

    def update(
        self,
        *,
        stage: str | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str | None = None,
        message: str | None = None,
    ) -> None:
        """Take over what is given; a new stage starts its own count and clock.

        What is done already as a stage begins, by an earlier job say, makes it no faster.
        """
        now = self._clock()
        new_stage = stage is not None and stage != self.last.stage
        if new_stage:
            self._stage_began, self._done_before = now, done or 0
        self.last = _next(
            self.last,
            new_stage=new_stage,
            elapsed=now - self._stage_began,
            before=self._done_before,
            given={"stage": stage, "done": done, "total": total, "unit": unit, "message": message},
        )
        if new_stage or now - self._written_at >= EVERY_SECONDS:
            self.write()

    def write(self) -> None:
        """Write now what was collected."""
        self._written_at = self._clock()
        try:
            self._redis.set(self._key, json.dumps(asdict(self.last)), ex=KEEP_SECONDS)
        except RedisError:
            return  # progress is for watching only; the page says that it is not live


def _next(
    last: Progress, *, new_stage: bool, elapsed: float, before: int, given: dict[str, Any]
) -> Progress:
    values = asdict(Progress(attempt=last.attempt)) if new_stage else asdict(last)
    values |= {name: value for name, value in given.items() if value is not None}
    done, total = values["done"], values["total"]
    rate = (done - before) / elapsed if done and done > before and elapsed > 1 else None
    values["rate"] = rate
    values["eta"] = max(0.0, (total - done) / rate) if rate and total else None
    return Progress(**values)
