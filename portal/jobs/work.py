"""What a task works with: its job's rights, folder, progress, log, safe points and effects."""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import PortalError
from portal.files import private_folder
from portal.jobs.ledger import Claim, LeaseLostError, fence
from portal.jobs.models import Job, JobLogLine, JobState
from portal.jobs.notices import announce
from portal.jobs.outcomes import End, finish
from portal.jobs.progress import ProgressMeter
from portal.runtime import Runtime

LOOK_SECONDS = 0.5
FLUSH_SECONDS = 1.0
LINES_AT_ONCE = 200


class CancelledError(BaseException):
    """The requester asked to stop. Not an Exception: no task may swallow it."""


class StoppedError(BaseException):
    """The portal is stopping; the job goes back to its queue. Not an Exception either."""


class UnsuccessfulError(PortalError):
    """The work came to its end, which is no success; `result` is kept beside the reason.

    `told`: whom it concerns was told by the task itself.
    """

    def __init__(self, reason: str, *, result: dict[str, Any], told: bool = False) -> None:
        super().__init__(reason)
        self.result = result
        self.told = told


class Work:
    """One attempt at a job, as its task sees it.

    `effect()` and `completion()` are the only ways to write: each is a transaction that begins by
    checking that the job is still this process's own.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        claim: Claim,
        actor: Actor,
        stopping: threading.Event,
        ask: Callable[[Session], Actor] | None = None,
    ) -> None:
        self.runtime = runtime
        self.claim = claim
        self.actor = actor
        self.completed = False
        self._stopping = stopping
        self._ask = ask
        self._meter = ProgressMeter(runtime.redis, claim.job_id, claim.attempt)
        self._lines: list[dict[str, Any]] = []
        self._flushed_at = time.monotonic()
        self._looked_at = time.monotonic()

    @property
    def folder(self) -> Path:
        """This attempt's own folder; nobody else writes there, and it goes with the attempt."""
        return private_folder(
            attempts_folder(self.runtime, self.claim.job_id) / str(self.claim.token)
        )

    def progress(
        self,
        *,
        stage: str | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str | None = None,
        message: str | None = None,
    ) -> None:
        """Tell those who watch how far the work is; cheap enough for every item."""
        self._meter.update(stage=stage, done=done, total=total, unit=unit, message=message)

    def log(self, message: str, *, level: str = "info") -> None:
        """Keep a line for those who watch; lines are written about once a second."""
        self._lines.append(
            {
                "job_id": self.claim.job_id,
                "attempt": self.claim.attempt,
                "at": self.runtime.clock(),
                "level": level,
                "message": message,
            }
        )

    def checkpoint(self) -> None:
        """A safe point. Raises where the job was cancelled, taken away, or the portal stops."""
        if self._stopping.is_set():
            self._look()  # a cancel that was asked for is not put off to the next start
            raise StoppedError
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if now - self._flushed_at >= FLUSH_SECONDS:
            self._flush()
        self._look()

    def check_right(self) -> Actor:
        """Who asked for the job, as he stands now; raises ForbiddenError where he no longer may.

        A task that works for long asks between its steps.
        """
        if self._ask is not None:
            with self.runtime.reads() as session:
                self.actor = self._ask(session)
        return self.actor

    @contextmanager
    def effect(self) -> Iterator[Session]:
        """A transaction that commits only while the job is ours; it must be short.

        The oldest log lines go along; they stay to be written where it is rolled back.
        """
        lines = self._lines[:LINES_AT_ONCE]
        with self.runtime.sessions.begin() as session:
            fence(session, self.claim)
            _write(session, lines)
            yield session
        del self._lines[: len(lines)]

    @contextmanager
    def completion(self, result: dict[str, Any] | None = None) -> Iterator[Session]:
        """The last effect: what is written here and the job's success are one transaction.

        `result` is stored after the block, so the block may fill it.
        """
        self._flush()
        with self.effect() as session:
            yield session
            self._end(session, End(state=JobState.SUCCEEDED, result=result or {}))
        self.completed = True

    def end(self, end: End) -> None:
        """End the job, with the progress and log lines so far, and tell who asked for it."""
        self._flush()
        with self.runtime.sessions.begin() as session:
            self._end(session, end)

    def _end(self, session: Session, end: End) -> None:
        _write(session, self._lines)
        finish(session, self.claim, replace(end, progress=asdict(self._meter.last)))
        if end.told:
            return
        announce(
            session,
            job_id=self.claim.job_id,
            settings=self.runtime.settings,
            now=self.runtime.clock(),
        )

    def _look(self) -> None:
        with self.runtime.reads() as session:
            row = session.execute(
                select(Job.token, Job.state, Job.cancel_requested_at).where(
                    Job.id == self.claim.job_id
                )
            ).one_or_none()
        if row is None or row.token != self.claim.token or row.state != JobState.RUNNING:
            raise LeaseLostError(self.claim.job_id)
        self._heed(row.cancel_requested_at)

    def _heed(self, cancel_requested_at: datetime | None) -> None:
        if cancel_requested_at is not None:
            raise CancelledError

    def _flush(self) -> None:
        self._flushed_at = time.monotonic()
        while self._lines:
            with self.effect():
                pass


def attempts_folder(runtime: Runtime, job_id: str) -> Path:
    """Where the attempts of a job have their folders, one per token."""
    return work_folder(runtime) / job_id


def work_folder(runtime: Runtime) -> Path:
    """Where jobs have the folders of their attempts."""
    return runtime.settings.data / "work"


def remove_attempt(runtime: Runtime, claim: Claim) -> None:
    """Remove the folder of one attempt that is over; a later attempt's folder stays."""
    attempts = attempts_folder(runtime, claim.job_id)
    shutil.rmtree(attempts / str(claim.token), ignore_errors=True)
    with contextlib.suppress(OSError):  # another attempt has its folder there
        attempts.rmdir()


def _write(session: Session, lines: list[dict[str, Any]]) -> None:
    if lines:
        session.execute(insert(JobLogLine), lines)
