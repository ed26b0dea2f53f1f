"""A process that runs a channel's job and ends itself by SIGKILL on the way.

It reads lines `LINE JOB` and forks a child for each, which performs the job and dies at that line
of the code of delivery, of whichever connection (0: never); it answers with how the child ended and
how many lines it did.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import portal.delivery
from portal import files
from portal.delivery.tasks import KINDS
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.runner import perform
from portal.logs import configure_logging
from portal.runtime import Runtime
from portal.settings import Settings

FOLDER = str(Path(portal.delivery.__file__).parent)


def die_at(line: int, seen: list[int]) -> None:
    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        place = frame.f_code.co_filename
        if not place.startswith(FOLDER) and place != files.__file__:
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)


def child(line: int, job_id: str) -> None:
    runtime = Runtime.open(Settings.from_environment())
    engine = JobEngine(runtime=runtime, kinds=Kinds(KINDS))
    seen = [0]
    die_at(line, seen)
    perform(job_id, engine=engine)
    sys.settrace(None)
    sys.stdout.write(f"{seen[0]}\n")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    configure_logging(Settings.from_environment(), stream=sys.stderr)  # answers go to stdout
    for order in sys.stdin:
        line, job_id = order.split()
        number = os.fork()
        if number == 0:
            child(int(line), job_id)
        _, status = os.waitpid(number, 0)
        if os.WIFSIGNALED(status):
            sys.stdout.write("killed\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
