"""A worker beside a test, in a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.runtime import Runtime


@contextmanager
def working(shell: Any) -> Iterator[None]:
    """Within, every job of `shell` that is asked for is done."""
    engine, over = JobEngine(runtime=shell.runtime, kinds=shell.kinds), threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            for job_id in queued(shell.runtime):
                perform(job_id, engine=engine)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def queued(runtime: Runtime) -> list[str]:
    """The jobs that wait for a worker."""
    with runtime.reads() as session:
        return list(session.scalars(select(Job.id).where(Job.state == JobState.QUEUED)))
