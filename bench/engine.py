"""A no-op job through the whole engine against a bare RQ worker; both fork for every job.

Time per job: a burst worker empties a queue of jobs. Start: from asking (for Portal: the committed
transaction) to the first line of the task, with a worker that waits. Pairs are interleaved.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bench.engine_worker import KINDS, bare
from bench.report import Goal, report
from portal.accounts.permissions import SYSTEM
from portal.jobs import service
from portal.jobs.service import Subject
from portal.jobs.wake import RedisWaker
from portal.migrations.run import upgrade
from portal.runtime import Runtime
from portal.settings import Settings
from tests.servers import running_redis

JOBS = 300
PAIRS = 5
STARTS = 40


def ask_portal(runtime: Runtime, number: object, **args: Any) -> None:
    """Submit one job, as a route does."""
    with runtime.sessions.begin() as session:
        service.submit(
            session,
            kind=KINDS.get("bench.noop"),
            actor=SYSTEM,
            args=args,
            title="No-op",
            subject=Subject(kind="bench", id=str(number)),
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        )


def ask_rq(redis: Redis, *args: Any) -> None:
    """Enqueue one job."""
    Queue("bare", connection=redis, serializer=JSONSerializer).enqueue(bare, *args)


@contextmanager
def worker(role: str, settings: Settings, *, burst: bool) -> Iterator[subprocess.Popen[bytes]]:
    """One worker process of either kind."""
    environment = os.environ | {
        "PORTAL_DATA": str(settings.data),
        "PORTAL_REDIS_URL": settings.redis_url,
    }
    command = [sys.executable, "-m", "bench.engine_worker", role, "burst" if burst else "wait"]
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def per_job(role: str, settings: Settings, ask: Callable[[object], None]) -> float:
    """Seconds per job: from the start of the burst worker's loop to its end."""
    for number in range(JOBS):
        ask(number)
    began = time.perf_counter()
    with worker(role, settings, burst=True) as process:
        process.wait()
    return (time.perf_counter() - began - startup(role, settings)) / JOBS


def startup(role: str, settings: Settings) -> float:
    """Seconds that a burst worker takes with nothing to do."""
    began = time.perf_counter()
    with worker(role, settings, burst=True) as process:
        process.wait()
    return time.perf_counter() - began


def start_latency(ask: Callable[[str], None], folder: Path) -> float:
    """Median seconds from asking to the first line of the task."""
    seconds = []
    for number in range(STARTS):
        mark = folder / f"{time.time_ns()}-{number}"
        began = time.time()
        ask(str(mark))
        while not mark.exists() or not mark.read_text():
            time.sleep(0.0005)
        seconds.append(float(mark.read_text()) - began)
        time.sleep(0.02)
    return statistics.median(seconds)


def main() -> bool:
    """Measure and print; true if every goal is met."""
    with running_redis() as server, tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data": Path(folder), "redis_url": server.url})
        runtime = Runtime.open(settings)
        upgrade(runtime.engine)
        redis = Redis.from_url(server.url)
        ours, theirs = [], []
        for pair in range(PAIRS):
            theirs.append(per_job("rq", settings, lambda _number: ask_rq(redis)))
            ours.append(
                per_job("portal", settings, lambda n, pair=pair: ask_portal(runtime, (pair, n)))
            )
        starts = {}
        with worker("rq", settings, burst=False), worker("portal", settings, burst=False):
            time.sleep(2)
            for _ in range(3):
                starts.setdefault("rq", []).append(
                    start_latency(lambda mark: ask_rq(redis, mark), Path(folder))
                )
                starts.setdefault("portal", []).append(
                    start_latency(lambda mark: ask_portal(runtime, mark, mark=mark), Path(folder))
                )
        runtime.close()
    return report(
        "Job engine",
        [
            Goal(
                what="no-op job, ms per job, against RQ with fork",
                ours=[second * 1000 for second in ours],
                peer=[second * 1000 for second in theirs],
                at_most=1.7,
            ),
            Goal(
                what="asking to running, ms, against enqueue to start",
                ours=[second * 1000 for second in starts["portal"]],
                peer=[second * 1000 for second in starts["rq"]],
                at_most=1.5,
            ),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
