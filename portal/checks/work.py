"""What the portal does and keeps: workers, reconciler, messages, artifacts, the audit log."""

from collections.abc import Iterator

from redis.exceptions import RedisError
from sqlalchemy import select

from portal.artifacts.drift import find_drift
from portal.audit import chain
from portal.checks.finding import Finding, advice, error, not_running
from portal.checks.redis import connect
from portal.db import db_now
from portal.jobs.kinds import QUEUES
from portal.jobs.models import Leadership
from portal.jobs.outbox import count_given_up, given_up
from portal.jobs.presence import live_workers
from portal.runtime import Runtime

START = "Start the portal with `portal up`, or start this part again."


def check_work(runtime: Runtime) -> Iterator[Finding]:
    """Findings of a portal whose database is sound."""
    yield from _workers(runtime)
    yield from _reconciler(runtime)
    yield from _messages(runtime)
    yield from _artifacts(runtime)
    yield from _audit(runtime)


def _workers(runtime: Runtime) -> Iterator[Finding]:
    client = connect(runtime.settings)
    try:
        served = {worker.queue for worker in live_workers(client)}
    except RedisError:
        return  # said of Redis already
    finally:
        client.close()
    idle = [queue for queue in QUEUES if queue not in served]
    if len(idle) == len(QUEUES):
        yield not_running("No worker runs: jobs wait.", START)
        return
    for queue in idle:
        yield not_running(f"No worker listens to the queue {queue}: its jobs wait.", START)


def _reconciler(runtime: Runtime) -> Iterator[Finding]:
    with runtime.reads() as session:
        leading = session.scalar(select(Leadership.name).where(Leadership.until > db_now()))
    if leading is None:
        yield not_running(
            "The reconciler does not run: schedules stand still, and jobs whose worker died stay "
            "as they are.",
            START,
        )


def _messages(runtime: Runtime) -> Iterator[Finding]:
    with runtime.reads() as session:
        unsent, newest = count_given_up(session), next(iter(given_up(session, limit=1)), None)
    if newest is not None:
        yield advice(
            f"{unsent} messages were given up after many tries; the newest, by "
            f"{newest.channel} to {newest.target}: {newest.error.rstrip('.')}.",
            "Look at the mail or webhook settings and at the receiver.",
        )


def _artifacts(runtime: Runtime) -> Iterator[Finding]:
    with runtime.reads() as session:
        drift = find_drift(session, runtime.settings, now=runtime.clock())
    if drift.missing:
        yield error(
            f"{len(drift.missing)} artifacts are offered whose files are gone: "
            f"{', '.join(drift.missing[:3])}.",
            "Bring the files back from a backup, or make these artifacts again.",
        )
    if drift.resized:
        yield error(
            f"{len(drift.resized)} artifacts have another size than was recorded: "
            f"{', '.join(drift.resized[:3])}.",
            "Something else writes into the data folder; bring the files back from a backup.",
        )
    if drift.strays:
        yield advice(
            f"{len(drift.strays)} files among the artifacts are known to no record.",
            "The running portal removes them by itself.",
        )


def _audit(runtime: Runtime) -> Iterator[Finding]:
    for problem in chain.verify(runtime):
        if problem.tampered:
            yield error(
                problem.message,
                "Somebody changed the audit log from outside. Keep a copy, compare it with a "
                "backup and find out who.",
            )
        else:
            yield not_running(problem.message, START)
