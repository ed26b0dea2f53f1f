"""What is forgotten in time: log lines, tracebacks, read and sent messages. Jobs stay for ever."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Update, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import changed
from portal.jobs.models import JobAttempt, JobLogLine, Notification, Outgoing
from portal.runtime import Runtime

AT_ONCE = 500
ROUNDS = 20
MESSAGE_DAYS = 90
OUTGOING_DAYS = 30


def prune(runtime: Runtime) -> int:
    """Forget what is old enough, in short transactions; returns how many rows it met.

    A round has a limit; what is left over is met by the next one.
    """
    now = runtime.clock()
    logs = now - timedelta(days=runtime.settings.job_log_days)
    messages = now - timedelta(days=MESSAGE_DAYS)
    outgoing = now - timedelta(days=OUTGOING_DAYS)
    return (
        _all(runtime, delete(JobLogLine), JobLogLine.id, JobLogLine.at < logs)
        + _all(
            runtime,
            update(JobAttempt).values(traceback=""),
            JobAttempt.id,
            (JobAttempt.ended_at < logs) & (JobAttempt.traceback != ""),
        )
        + _all(runtime, delete(Notification), Notification.id, Notification.read_at < messages)
        + _all(runtime, delete(Outgoing), Outgoing.id, Outgoing.sent_at < outgoing)
    )


def _all(
    runtime: Runtime,
    statement: Delete | Update,
    key: InstrumentedAttribute[int],
    old: ColumnElement[bool],
) -> int:
    met = 0
    for _ in range(ROUNDS):
        count = _some(runtime, statement, key, old)
        met += count
        if count < AT_ONCE:
            break
    return met


def _some(runtime: Runtime, statement: Any, key: Any, old: ColumnElement[bool]) -> int:
    with runtime.reads() as session:
        ids = session.scalars(select(key).where(old).limit(AT_ONCE)).all()
    if not ids:
        return 0
    with runtime.sessions.begin() as session:
        chosen = statement.where(key.in_(ids)).execution_options(synchronize_session=False)
        return changed(session, chosen)
