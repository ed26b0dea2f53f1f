"""The reconciler's process: it keeps jobs moving, runs schedules, sends messages, tidies up.

Messages have a thread of their own: a mail server that dawdles must not keep jobs waiting.
"""

import signal
import threading

from portal.accounts.housekeeping import forget_what_is_over
from portal.artifacts import drift, retention
from portal.assembly import open_job_engine, processors_for
from portal.audit import chain
from portal.datacenter import arrivals
from portal.datacenter import service as data_center
from portal.datacenter.rules import missing, watching
from portal.db import checkpoint
from portal.imports import files as import_files
from portal.jobs import due, leftovers, outbox
from portal.jobs import retention as job_retention
from portal.jobs.engine import JobEngine
from portal.jobs.reconciler import Duty, reconcile
from portal.logs import configure_logging
from portal.projects import exports, loading, storage
from portal.rows import abandoned, copies
from portal.rows import retention as row_retention
from portal.settings import Settings
from portal.tables import catalog as tables_catalog
from portal.tables import exports as table_exports

HOUR = 3600.0
MINUTE = 60.0


def duties(engine: JobEngine) -> tuple[Duty, ...]:
    """What is done again and again besides keeping jobs moving."""
    runtime = engine.runtime
    return (
        Duty(name="run schedules", run=lambda: due.run_due(engine)),
        Duty(name="seal the audit log", run=lambda: chain.seal(runtime)),
        Duty(
            name="keep the newest exports",
            run=lambda: exports.keep_newest(runtime),
            every=MINUTE,
        ),
        Duty(
            name="remove expired artifacts",
            run=lambda: retention.remove_expired(runtime),
            every=MINUTE,
        ),
        Duty(name="note dropped files", run=lambda: arrivals.note_arrivals(runtime)),
        Duty(
            name="process what arrives",
            run=lambda: watching.take_arrivals(engine, find=processors_for),
        ),
        Duty(name="look for missing files", run=lambda: missing.look_for_missing(runtime)),
        Duty(
            name="finish moves of files",
            run=lambda: data_center.finish_intended(runtime),
            every=MINUTE,
        ),
        Duty(
            name="set abandoned batches free",
            run=lambda: abandoned.stop_abandoned(runtime),
            every=MINUTE,
        ),
        Duty(
            name="forget the rows of old batches",
            run=lambda: row_retention.forget_rows(runtime),
            every=HOUR,
        ),
        Duty(
            name="find the copies of batches",
            run=lambda: copies.adopt_sources(runtime),
            every=HOUR,
        ),
        Duty(
            name="remove copies that no batch reads",
            run=lambda: copies.sweep_sources(runtime),
            every=HOUR,
        ),
        Duty(
            name="remove files that nobody imports",
            run=lambda: import_files.sweep_waiting(runtime),
            every=HOUR,
        ),
        Duty(name="tidy the data centre up", run=lambda: data_center.sweep(runtime), every=HOUR),
        Duty(name="checkpoint", run=lambda: checkpoint(runtime.engine), every=MINUTE),
        Duty(
            name="checkpoint the tables",
            run=lambda: tables_catalog.checkpoint_tables(runtime),
            every=MINUTE,
        ),
        Duty(
            name="keep the newest table exports",
            run=lambda: table_exports.keep_newest(runtime),
            every=MINUTE,
        ),
        Duty(name="end sessions", run=lambda: forget_what_is_over(runtime), every=MINUTE),
        Duty(
            name="remove files without a row", run=lambda: drift.remove_strays(runtime), every=HOUR
        ),
        Duty(name="sweep projects' files", run=lambda: storage.sweep(runtime), every=HOUR),
        Duty(
            name="remove abandoned loads",
            run=lambda: loading.remove_abandoned_loads(runtime),
            every=HOUR,
        ),
        Duty(
            name="remove abandoned work",
            run=lambda: leftovers.remove_leftovers(runtime),
            every=HOUR,
        ),
        Duty(name="forget old details", run=lambda: job_retention.prune(runtime), every=HOUR),
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
