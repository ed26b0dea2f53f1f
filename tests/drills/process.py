"""A process of a drill: `python -m tests.drills.process worker|reconciler`.

DRILL_DIE_AT names a step; the process that comes there first sends itself DRILL_SIGNAL, once: the
marker file DRILL_MARK keeps it from happening again.
"""

import os
import signal
import sys
import threading

from portal.jobs.engine import JobEngine
from portal.jobs.reconciler import reconcile
from portal.jobs.worker import serve
from portal.logs import configure_logging
from portal.runtime import Runtime
from portal.settings import Settings
from tests.drills.kinds import KINDS


def step(name: str) -> None:
    if name != os.environ.get("DRILL_DIE_AT"):
        return
    try:
        os.close(os.open(os.environ["DRILL_MARK"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.Signals[os.environ["DRILL_SIGNAL"]])


if __name__ == "__main__":
    settings = Settings.from_environment()
    configure_logging(settings)
    engine = JobEngine(runtime=Runtime.open(settings), kinds=KINDS, step=step)
    if sys.argv[1] == "worker":
        serve(engine, "bulk")
    else:
        reconcile(engine, (), over=threading.Event())
