"""The reconciler's process: it keeps jobs moving, runs schedules, sends messages, tidies up.

Messages have a thread of their own: a mail server that dawdles must not keep jobs waiting.
"""

import signal
import threading
from collections.abc import Callable
from functools import partial

from portal.accounts.housekeeping import forget_what_is_over
from portal.artifacts import drift, retention
from portal.assembly import open_job_engine, processors_for
from portal.audit import chain
from portal.datacenter import arrivals
from portal.datacenter import service as data_center
from portal.datacenter.rules import missing, watching
from portal.db import checkpoint
from portal.delivery import coming_back
from portal.imports import files as import_files
from portal.jobs import due, leftovers, outbox
from portal.jobs import retention as job_retention
from portal.jobs.engine import JobEngine
from portal.jobs.reconciler import Duty, reconcile
from portal.logs import configure_logging
from portal.projects import exports, loading, storage
from portal.rows import abandoned, copies
from portal.rows import retention as row_retention
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables import catalog as tables_catalog
from portal.tables import exports as table_exports

AT_ONCE = 0.0
MINUTE = 60.0
HOUR = 3600.0
_OF_RUNTIME: tuple[tuple[str, Callable[[Runtime], object], float], ...] = (
    ("seal the audit log", chain.seal, AT_ONCE),
    ("note dropped files", arrivals.note_arrivals, AT_ONCE),
    ("look for missing files", missing.look_for_missing, AT_ONCE),
    ("keep the newest exports", exports.keep_newest, MINUTE),
    ("keep the newest table exports", table_exports.keep_newest, MINUTE),
    ("remove expired artifacts", retention.remove_expired, MINUTE),
    ("finish moves of files", data_center.finish_intended, MINUTE),
    ("set abandoned batches free", abandoned.stop_abandoned, MINUTE),
    ("checkpoint", lambda runtime: checkpoint(runtime.engine), MINUTE),
    ("checkpoint the tables", tables_catalog.checkpoint_tables, MINUTE),
    ("end sessions", forget_what_is_over, MINUTE),
    ("forget the rows of old batches", row_retention.forget_rows, HOUR),
    ("find the copies of batches", copies.adopt_sources, HOUR),
    ("remove copies that no batch reads", copies.sweep_sources, HOUR),
    ("remove files that nobody imports", import_files.sweep_waiting, HOUR),
    ("tidy the data centre up", data_center.sweep, HOUR),
    ("remove files without a row", drift.remove_strays, HOUR),
    ("sweep projects' files", storage.sweep, HOUR),
    ("remove abandoned loads", loading.remove_abandoned_loads, HOUR),
    ("remove abandoned work", leftovers.remove_leftovers, HOUR),
    ("forget old details", job_retention.prune, HOUR),
)


def duties(engine: JobEngine) -> tuple[Duty, ...]:
    """What is done again and again besides keeping jobs moving."""
    arriving = partial(watching.take_arrivals, engine, find=processors_for)
    return (
        Duty(name="run schedules", run=partial(due.run_due, engine)),
        *(
            Duty(name=name, run=partial(run, engine.runtime), every=every)
            for name, run, every in _OF_RUNTIME
        ),
        Duty(name="process what arrives", run=arriving),
        Duty(name="run channels again", run=partial(coming_back.run_again, engine)),
    )


def main() -> None:
    """Reconcile until TERM or INT."""
    settings = Settings.from_environment()
    configure_logging(settings)
    engine = open_job_engine(settings)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    post = threading.Thread(target=outbox.deliver, args=(engine.runtime,), kwargs={"over": over})
    post.daemon = True  # a message half sent is sent again; it must not hold up the stop
    post.start()
    reconcile(engine, duties(engine), over=over)


if __name__ == "__main__":
    main()
