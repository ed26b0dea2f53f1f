"""The proof of life of a work-horse: a thread that renews the lease, or ends the process."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from portal.jobs.ledger import Claim, renew

MARGIN = 0.15
TOO_LATE = "the lease could not be renewed in time"

log = structlog.get_logger("portal.jobs")


class Heartbeat:
    """Renews a third of the lease ahead, on a connection of its own.

    It ends the process at once when the job is no longer ours, and at the end of the lease minus a
    margin (by the monotonic clock) when the database did not answer until then; a renewal that
    hangs (a dead network, a lock that somebody holds) does not put that off.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        claim: Claim,
        *,
        lease_seconds: float,
        claimed_at: float,
    ) -> None:
        self._sessions = sessions
        self._claim = claim
        self._lease = lease_seconds
        self._good_until = claimed_at + lease_seconds * (1 - MARGIN)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._pause()):
            with self._deadline():
                self._beat()
            if time.monotonic() >= self._good_until:
                self._end(TOO_LATE)

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        left = max(0.0, self._good_until - time.monotonic())
        timer = threading.Timer(left, self._end, (TOO_LATE,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _pause(self) -> float:
        left = self._good_until - time.monotonic()
        return max(0.0, min(self._lease / 3, left))

    def _beat(self) -> None:
        asked_at = time.monotonic()
        try:
            with self._sessions.begin() as session:
                ours = renew(session, self._claim, lease_seconds=self._lease)
        except SQLAlchemyError as error:
            log.warning("lease not renewed", job=self._claim.job_id, error=type(error).__name__)
            return
        if not ours:
            self._end("the job belongs to another worker now")
        self._good_until = asked_at + self._lease * (1 - MARGIN)

    def _end(self, why: str) -> None:
        if self._over.is_set():
            return
        log.error("work ended", job=self._claim.job_id, reason=why)
        os.kill(os.getpid(), signal.SIGKILL)
