"""The workers of bench/engine.py: `python -m bench.engine_worker rq|portal burst|wait`."""

import sys
import time
from pathlib import Path

from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

from portal.jobs.engine import JobEngine
from portal.jobs.kinds import BULK, Kind, Kinds
from portal.jobs.work import Work
from portal.jobs.worker import serve
from portal.runtime import Runtime
from portal.settings import Settings


def bare(mark: str = "") -> None:
    """The peer's task."""
    if mark:
        Path(mark).write_text(repr(time.time()))


def noop(work: Work, *, mark: str = "") -> None:  # noqa: ARG001 (a task's signature)
    """Ours."""
    bare(mark)


KINDS = Kinds(
    [
        Kind(
            name="bench.noop",
            area="bench",
            label="No-op",
            queue=BULK,
            run=noop,
            may_view=lambda _session, _actor, _job: True,
            may_run=lambda _session, _actor, _args: True,
        )
    ]
)


def serve_portal(settings: Settings, *, burst: bool) -> None:
    """Our worker, in this process."""
    serve(JobEngine(runtime=Runtime.open(settings), kinds=KINDS), BULK, burst=burst)


def serve_rq(url: str, *, burst: bool) -> None:
    """RQ's own worker, in this process, as it comes."""
    redis = Redis.from_url(url)
    Worker(["bare"], connection=redis, serializer=JSONSerializer).work(
        burst=burst, logging_level="ERROR"
    )


if __name__ == "__main__":
    chosen = Settings.from_environment()
    if sys.argv[1] == "rq":
        serve_rq(chosen.redis_url, burst=sys.argv[2] == "burst")
    else:
        serve_portal(chosen, burst=sys.argv[2] == "burst")
