"""The status words that projects, demos and deliveries share with their predecessors.

A job's row moves only forward; this small object may be started again, as seed 000 shows.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from portal.jobs.models import Job, JobState

HUNG_AFTER = timedelta(hours=6)
_TICK = timedelta(microseconds=1)

Clock = Callable[[], datetime]


class JobStatus:
    """Whether the work called `name` runs, succeeded, failed or hangs, and since when.

    `updatetime` equals `starttime` right after `start()` and is later than it after `finish()` or
    `fail()`, however coarse the clock is.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.running = False
        self.succeeded = False
        self.failed = False
        self.starttime: datetime | None = None
        self.updatetime: datetime | None = None
        self._clock = clock

    @property
    def hung(self) -> bool:
        """Whether it still runs although it was started over six hours ago."""
        return self.running and is_hung(self.starttime, now=self._clock())

    def start(self) -> None:
        """The work begins, for the first time or again."""
        self._become(running=True)
        self.starttime = self.updatetime = self._clock()

    def finish(self) -> None:
        """The work ended well."""
        self._become(succeeded=True)
        self._touch()

    def fail(self) -> None:
        """The work ended badly, or turned out to have."""
        self._become(failed=True)
        self._touch()

    def _become(
        self, *, running: bool = False, succeeded: bool = False, failed: bool = False
    ) -> None:
        self.running, self.succeeded, self.failed = running, succeeded, failed

    def _touch(self) -> None:
        now = self._clock()
        self.updatetime = now if self.starttime is None else max(now, self.starttime + _TICK)


def is_hung(started_at: datetime | None, *, now: datetime) -> bool:
    """Say whether something that still runs was started too long ago to be believed in."""
    return started_at is not None and now - started_at > HUNG_AFTER


def status_of(job: Job, *, clock: Clock) -> JobStatus:
    """The status words for a job's row; cancelled and interrupted work counts as failed."""
    status = JobStatus(job.id, clock)
    state = JobState(job.state)
    status.running = state is JobState.RUNNING
    status.succeeded = state is JobState.SUCCEEDED
    status.failed = not state.active and not status.succeeded
    status.starttime = job.started_at
    status.updatetime = job.updated_at
    return status
