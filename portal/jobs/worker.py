"""A worker: RQ brings it wake-ups from one queue, the database says whether there is work.

RQ's own bookkeeping of jobs is not used: its entry is dropped as soon as the claim is decided, so
nothing that RQ believes about a job can disagree with the database.
"""

import contextlib
import gc
import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import structlog
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job as Entry
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from portal.guard import die_with_parent
from portal.jobs import endings, runner
from portal.jobs.engine import JobEngine
from portal.jobs.ledger import Claim
from portal.jobs.presence import Presence
from portal.jobs.rehearsal import rehearse
from portal.jobs.wake import PERFORM

BEAT_SECONDS = 5.0
IDLE_SECONDS = 15
STOPS = (signal.SIGTERM, signal.SIGINT)
# What RQ raises for entries that it did not write: bytes that are no text, numbers or times.
UNREADABLE = (ValueError, TypeError)

log = structlog.get_logger("portal.worker")


def serve(engine: JobEngine, queue: str, *, burst: bool = False) -> None:
    """Work on `queue` until TERM or INT; with `burst`, until it is empty."""
    rehearse(engine)
    gc.freeze()  # children share what was imported: the collector must not touch those pages
    PortalWorker(engine, queue).work(burst=burst, logging_level="WARNING")


def accepted_job_id(entry: Any) -> str | None:
    """The job that an RQ entry wakes; None for anything else than our one callable."""
    try:
        if entry.func_name == PERFORM and len(entry.args) == 1 and not entry.kwargs:
            (job_id,) = entry.args
            return job_id if isinstance(job_id, str) and len(job_id) <= 32 else None
    except Exception:
        return None
    return None


class PortalWorker(Worker):
    """One queue, one job at a time, in a work-horse that dies with the worker."""

    max_connection_wait_time = 5.0

    def __init__(self, engine: JobEngine, queue: str) -> None:
        super().__init__(
            [queue],
            connection=engine.runtime.redis,
            serializer=JSONSerializer,
            worker_ttl=IDLE_SECONDS + 15,
        )
        self._engine = engine
        self._presence = Presence(engine.runtime.redis, queue=queue)
        self._listening = False

    def execute_job(self, job: Entry, queue: Queue) -> None:
        """Claim what the entry names and fork a work-horse for it; otherwise change nothing."""
        self._listening = False
        job_id = accepted_job_id(job)
        if job_id is None:
            log.warning("refused a queue entry that is not ours", entry=job.id, queue=queue.name)
            self._drop(job, queue)
            return
        claimed_at = time.monotonic()
        claim = runner.claim_job(job_id, engine=self._engine, worker=runner.worker_name())
        self._engine.step("claim committed")
        self._drop(job, queue)
        if claim is not None:
            self._employ(claim, claimed_at)

    def _drop(self, entry: Entry, queue: Queue) -> None:
        with contextlib.suppress(RedisError), self.connection.pipeline(transaction=False) as pipe:
            pipe.lrem(queue.intermediate_queue_key, 1, entry.id)
            pipe.delete(entry.key)
            pipe.execute()

    def _refuse_unreadable(self, reason: str) -> None:
        """Whatever lies half-taken in the intermediate queue tells nobody anything any more."""
        (queue,) = self.queues
        log.warning("refused a queue entry that cannot be read", queue=queue.name, reason=reason)
        with contextlib.suppress(RedisError):
            self.connection.delete(queue.intermediate_queue_key)

    def _employ(self, claim: Claim, claimed_at: float) -> None:
        with _stops_held_back():
            pid = os.fork()
            if pid == 0:
                _be_work_horse(self._engine, claim, claimed_at)
            self._horse_pid = pid
        if self._stop_requested:  # while the job was claimed
            self._pass_on_stop()
        self._presence.job_id = claim.job_id
        try:
            status = self._watch(pid, claim, claimed_at)
        finally:
            self._horse_pid = 0
            self._presence.job_id = None
        if status != 0:
            endings.horse_died(self._engine, claim)

    def _watch(self, pid: int, claim: Claim, claimed_at: float) -> int:
        """Wait for the work-horse; kill it at its wall limit, or when the stop takes too long."""
        kind = self._engine.kinds.find(claim.kind)
        limit = claimed_at + kind.wall_limit.total_seconds() if kind else None
        handle = os.pidfd_open(pid)
        try:
            while not select.select([handle], [], [], self._pause(limit))[0]:
                if limit is not None and time.monotonic() >= limit:
                    endings.end_overdue(self._engine, claim, kill=lambda: _kill_group(pid))
                    break
                self._presence.beat()
        finally:
            os.close(handle)
        return os.waitpid(pid, 0)[1]

    def _pause(self, limit: float | None) -> float:
        left = BEAT_SECONDS if limit is None else limit - time.monotonic()
        return max(0.0, min(BEAT_SECONDS, left))

    def request_stop(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 (RQ's signature)
        """On TERM or INT: let the work-horse come to a safe point, then end."""
        self._stop_requested = True
        if self._horse_pid:
            self._pass_on_stop()
        elif self._listening:
            raise StopRequested

    def _pass_on_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._horse_pid, signal.SIGTERM)

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Entry, Queue] | None:
        """Wait for a wake-up; only here may a stop break the wait.

        An entry that RQ cannot read has left the queue by then; the next one is waited for.
        """
        self._listening = True
        while True:
            try:
                found: tuple[Entry, Queue] | None = super().dequeue_job_and_maintain_ttl(
                    timeout, max_idle_time
                )
            except UNREADABLE as error:
                self._refuse_unreadable(str(error))
            else:
                return found

    @property
    def dequeue_timeout(self) -> int:
        """How long one wait for a wake-up lasts."""
        return IDLE_SECONDS

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ARG002 (RQ's signature)
        """Show that this worker lives; RQ's own record is not needed."""
        self._presence.beat()

    def _set_state(self, state: str) -> None:
        self._state = state

    def set_state(self, state: str, pipeline: Any = None) -> None:  # noqa: ARG002 (RQ's signature)
        """RQ's record of the state is not used; ours is the presence."""
        self._state = state

    def get_state(self) -> str:
        """The state as this process knows it."""
        return self._state or WorkerStatus.IDLE

    state = property(get_state, _set_state)

    def procline(self, message: str) -> None:
        """Leave the process's title alone."""

    def check_for_suspension(self, burst: bool) -> None:
        """Nobody suspends workers through Redis."""

    def subscribe(self) -> None:
        """Take no commands from Redis: who can write there must not stop workers."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def register_birth(self) -> None:
        """Show the presence instead of RQ's record."""
        self._presence.beat()

    def register_death(self) -> None:
        """Take the presence away."""
        self._presence.leave()

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """RQ's registries stay empty, so there is nothing to maintain."""
        return False


def _be_work_horse(engine: JobEngine, claim: Claim, claimed_at: float) -> None:
    """The child: do the job and end the process without running the parent's clean-up."""
    status = 1
    try:
        os.setpgrp()
        die_with_parent()
        stopping = threading.Event()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        engine.runtime.after_fork()
        runner.execute(claim, engine=engine, claimed_at=claimed_at, stopping=stopping)
        status = 0
    except BaseException:  # whatever it was, the parent recovers the job
        log.exception("work-horse failed", job=claim.job_id)
    finally:
        os._exit(status)


@contextlib.contextmanager
def _stops_held_back() -> Iterator[None]:
    """No stop is lost between a fork and the moment when parent and child can heed it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
