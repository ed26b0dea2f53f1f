"""Waking workers: the only module that puts anything into RQ. A lost wake-up loses nothing."""

from typing import Protocol

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session

PERFORM = "portal.jobs.runner.perform"
_ENTRY_SECONDS = 3600
_WAITING = "portal_jobs_to_wake"

log = structlog.get_logger("portal.jobs")


class Waker(Protocol):
    """Tells the workers of `queue` that a job is there to be claimed."""

    def __call__(self, queue: str, job_id: str) -> bool:
        """Return False where nobody could be told; the reconciler tells them later."""
        ...


class RedisWaker:
    """Wakes through RQ; duplicates are harmless, because a claim decides."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def __call__(self, queue: str, job_id: str) -> bool:
        """Put one entry into the RQ queue."""
        try:
            rq_queue(self._redis, queue).enqueue_call(
                PERFORM, args=(job_id,), timeout=-1, ttl=_ENTRY_SECONDS, result_ttl=0, failure_ttl=0
            )
        except RedisError as error:
            log.warning("job not woken, it stays queued", job=job_id, error=type(error).__name__)
            return False
        return True


def rq_queue(redis: "Redis", name: str) -> Queue:
    """The RQ queue called `name`, with JSON entries."""
    return Queue(name, connection=redis, serializer=JSONSerializer)


def wake_after_commit(session: Session, waker: Waker, *, queue: str, job_id: str) -> None:
    """Wake the workers of `queue` once the transaction is committed; never if it is rolled back."""
    waiting: list[tuple[Waker, str, str]] | None = session.info.get(_WAITING)
    if waiting is None:
        waiting = session.info[_WAITING] = []
        event.listen(session, "after_commit", _wake_all)
        event.listen(session, "after_rollback", _forget_all)
    waiting.append((waker, queue, job_id))


def _wake_all(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint is no commit yet
        return
    waiting = session.info.get(_WAITING, [])
    while waiting:
        waker, queue, job_id = waiting.pop(0)
        waker(queue, job_id)


def _forget_all(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.get(_WAITING, []).clear()
