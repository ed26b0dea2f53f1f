"""A process whose children import and die: `python -m tests.imports.dying`.

Each line on stdin is an order: a child is forked, does the job, and kills itself just before or
after its n-th commit, in whichever database. The answer is its exit status.
"""

import itertools
import json
import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from portal.assembly import KINDS
from portal.jobs.engine import JobEngine
from portal.jobs.runner import perform
from portal.runtime import Runtime
from portal.settings import Settings


def do(order: dict[str, Any]) -> None:
    commits = itertools.count(1)
    dies = {"now": False}

    def on_commit(_connection: object) -> None:
        if next(commits) == order["commit"]:
            if order["moment"] == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            dies["now"] = True

    def on_return(*_of: object) -> None:
        if dies["now"]:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", on_commit)
    event.listen(Pool, "reset", on_return)  # the connection comes back: what it did is committed
    runtime = Runtime.open(Settings.from_environment())
    perform(order["job"], engine=JobEngine(runtime=runtime, kinds=KINDS))


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            do(json.loads(line))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
