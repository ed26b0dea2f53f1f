"""A short look at a job: what a poll compares, and what its status is made of."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import cast

from redis.exceptions import RedisError

from portal.db import Reader
from portal.jobs import queries
from portal.jobs.lanes import find_blocker
from portal.jobs.models import JobState
from portal.jobs.progress import progress_key
from portal.jobs.queries import JobRow
from portal.jobs.status import is_hung
from portal.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What two looks at a job are compared by; made by few statements and one question to Redis.

    `silent_since` is when its worker was heard of last, where that is too long ago.
    """

    row: JobRow
    progress: bytes | None
    redis_away: bool
    place: int | None
    blocker: JobRow | None
    hung: bool
    silent_since: datetime | None

    @property
    def active(self) -> bool:
        """Whether there is still something to come."""
        return JobState(self.row.state).active

    @cached_property
    def mark(self) -> str:
        """The same for two looks that show the same, whoever's clock moved meanwhile."""
        row = self.row
        shown = (
            row.id,
            row.state,
            row.token,
            row.attempt,
            row.ended_at,
            row.cancel_requested_at,
            self.progress,
            self.redis_away,
            self.place,
            self.blocker and self.blocker.id,
            self.hung,
            self.silent_since,
        )
        return hashlib.blake2b(repr(shown).encode(), digest_size=12).hexdigest()

    def tag(self, *salt: object) -> str:
        """The ETag of what this look shows to the one whom `salt` describes."""
        return f"{self.mark}-{hashlib.blake2b(repr(salt).encode(), digest_size=8).hexdigest()}"


def glance(reader: Reader, *, runtime: Runtime, row: JobRow) -> Glance:
    """Look at a job: its progress while it runs, its place while it waits."""
    raw, away = _raw_progress(runtime, row)
    running = row.state == JobState.RUNNING
    return Glance(
        row=row,
        progress=raw,
        redis_away=away,
        place=queries.place_of(reader, row),
        blocker=find_blocker(reader, row),
        hung=running and is_hung(row.started_at, now=runtime.clock()),
        silent_since=_silent_since(row, runtime.settings.lease_seconds) if running else None,
    )


def _silent_since(row: JobRow, lease_seconds: float) -> datetime | None:
    """When the lease was renewed last, where that should have been done again since.

    It is renewed after a third of its time (see `heartbeat`); half of it is allowed for.
    """
    if row.lease_until is None:
        return None
    heard: datetime = row.lease_until - timedelta(seconds=lease_seconds)
    return heard if row.looked_at - heard > timedelta(seconds=lease_seconds / 2) else None


def raw_progresses(runtime: Runtime, rows: list[JobRow]) -> tuple[dict[str, bytes | None], bool]:
    """What Redis has of the running ones among `rows`, by id, and whether Redis is away."""
    running = [row.id for row in rows if row.state == JobState.RUNNING]
    if not running:
        return {}, False
    try:
        values = runtime.redis.mget([progress_key(job_id) for job_id in running])
    except RedisError:
        return {}, True
    return dict(zip(running, values, strict=True)), False


def _raw_progress(runtime: Runtime, row: JobRow) -> tuple[bytes | None, bool]:
    if row.state not in (JobState.QUEUED, JobState.RUNNING):
        return None, False
    try:
        return cast("bytes | None", runtime.redis.get(progress_key(row.id))), False
    except RedisError:
        return None, True
