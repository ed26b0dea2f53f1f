"""A worker for batches of people whose work-horses die: `python -m tests.drills.batch_process`.

DRILL_FALLS names a file with one line for each fall still to come: `before 3`, `after 5`: the
work-horse that takes the line falls before or after its third or fifth commit. `done` is the moment
when the ledger of the records says that the batch is done, and the portal's database does not yet.
DRILL_SIGNAL is how they fall.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction

from portal.jobs.engine import JobEngine
from portal.jobs.reconciler import reconcile
from portal.jobs.worker import serve
from portal.logs import configure_logging
from portal.rows.schema import tables_ledger
from portal.runtime import Runtime
from portal.settings import Settings
from tests.rows.kinds import KINDS


class Fall:
    """The end of this work-horse, at a commit of its own."""

    def __init__(self, runtime: Runtime, line: str) -> None:
        self.runtime = runtime
        self.moment, _, number = line.partition(" ")
        self.left = int(number or 0)

    def before_commit(self, _session: Session) -> None:
        if self.moment == "before":
            self._count()

    def after_end(self, _session: Session, ended: SessionTransaction) -> None:
        if ended.parent is not None:
            return
        if self.moment == "after":
            self._count()
        elif self.moment == "done" and self._ledger_says_done():
            fall()

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            fall()

    def _ledger_says_done(self) -> bool:
        batch = tables_ledger(self.runtime.tables).batch
        with self.runtime.tables.connect() as connection:
            return connection.scalar(select(batch.c.state)) == "done"


def fall() -> None:
    os.kill(os.getpid(), signal.Signals[os.environ.get("DRILL_SIGNAL", "SIGKILL")])


def arm(runtime: Runtime) -> None:
    """In a new work-horse: take the next fall from the list, if there is one left."""
    path = Path(os.environ["DRILL_FALLS"])
    first, *others = path.read_text().splitlines() or [""]
    path.write_text("\n".join(others))
    if first:
        next_fall = Fall(runtime, first)
        event.listen(Session, "before_commit", next_fall.before_commit)
        event.listen(Session, "after_transaction_end", next_fall.after_end)


if __name__ == "__main__":
    settings = Settings.from_environment()
    configure_logging(settings)
    runtime = Runtime.open(settings)
    engine = JobEngine(runtime=runtime, kinds=KINDS)
    if sys.argv[1] == "reconciler":
        reconcile(engine, (), over=threading.Event())
    else:
        os.register_at_fork(after_in_child=lambda: arm(runtime))
        serve(engine, "bulk")
