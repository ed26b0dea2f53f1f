"""Jobs that drills run; each effect is a row in `drill_effect`, so repeats show."""

import os
import signal
import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from portal.jobs import outcomes
from portal.jobs.kinds import BULK, Kind, Kinds
from portal.jobs.work import Work

SCHEMA = (
    "CREATE TABLE drill_effect (job_id VARCHAR(32), step INTEGER, token INTEGER)",
    "CREATE TABLE drill_history (job_id TEXT, number INTEGER, old TEXT, new TEXT)",
)
SQLITE_TRIGGER = """
CREATE TRIGGER drill_trigger AFTER UPDATE OF state ON job_attempt BEGIN
  INSERT INTO drill_history VALUES (new.job_id, new.number, old.state, new.state);
END"""
POSTGRES_TRIGGER = (
    """
CREATE FUNCTION drill_note() RETURNS trigger AS $$ BEGIN
  INSERT INTO drill_history VALUES (new.job_id, new.number, old.state, new.state);
  RETURN new;
END $$ LANGUAGE plpgsql""",
    """
CREATE TRIGGER drill_trigger AFTER UPDATE OF state ON job_attempt
FOR EACH ROW EXECUTE FUNCTION drill_note()""",
)


def count(work: Work, *, steps: int) -> dict[str, Any]:
    """Add one effect per step, whatever an earlier attempt did already."""
    for step in range(steps):
        work.checkpoint()
        with work.effect() as session:
            key = {"job": work.claim.job_id, "step": step, "token": work.claim.token}
            done = session.execute(
                text("SELECT 1 FROM drill_effect WHERE job_id = :job AND step = :step"), key
            ).first()
            if not done:
                session.execute(text("INSERT INTO drill_effect VALUES (:job, :step, :token)"), key)
        work.progress(stage="Counting", done=step + 1, total=steps)
        threading.Event().wait(0.01)
    return {"steps": steps}


def wait(work: Work) -> None:
    """Come to a safe point again and again until somebody ends it."""
    while True:
        work.checkpoint()
        threading.Event().wait(0.02)


def write_late(work: Work, *, gate: str) -> None:
    """Say that it is ready, wait for the gate file, then write one effect."""
    with open(f"{gate}.ready-{work.claim.token}", "w"):
        pass
    while not os.path.exists(gate):
        threading.Event().wait(0.02)
    with work.effect() as session:
        key = {"job": work.claim.job_id, "token": work.claim.token}
        session.execute(text("INSERT INTO drill_effect VALUES (:job, 0, :token)"), key)


def swallow(work: Work) -> None:
    """Never end, and swallow every exception on the way."""
    while True:
        try:
            threading.Event().wait(0.05)
        except Exception:
            continue


def die(work: Work) -> None:
    """Take the work-horse down, every time."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop_itself(work: Work) -> None:
    """Have its cancel asked for, then its worker stopped, and come to a safe point."""
    with work.runtime.sessions.begin() as session:
        outcomes.ask_to_stop(session, work.claim.job_id)
    os.kill(os.getppid(), signal.SIGTERM)
    while True:
        work.checkpoint()
        threading.Event().wait(0.6)


def lose_database(work: Work) -> None:
    """Lose the connection in the first attempt's effect; with SQLite there is none to be lost."""
    with work.effect() as session:
        if work.claim.attempt == 1 and session.get_bind().dialect.name == "postgresql":
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        key = {"job": work.claim.job_id, "token": work.claim.token}
        session.execute(text("INSERT INTO drill_effect VALUES (:job, 1, :token)"), key)


def fill_folder(work: Work) -> None:
    """Leave a file in the attempt's folder."""
    (work.folder / "file").write_bytes(b"1")


def fail(work: Work) -> None:
    """Fail in a way that nobody foresaw."""
    raise RuntimeError("the secret of the trace")


def nothing(work: Work) -> None:
    """Do nothing at all."""


def _kind(name: str, run: Any, **values: Any) -> Kind:
    everybody: dict[str, Any] = {
        "may_view": lambda _session, _actor, _job: True,
        "may_run": lambda _session, actor, _args: actor.enabled,
    }
    return Kind(
        name=f"drill.{name}",
        area="drill",
        label=name,
        queue=BULK,
        run=run,
        **(everybody | values),
    )


KINDS = Kinds(
    (
        _kind("count", count),
        _kind("once", count, restartable=False),
        _kind("wait", wait),
        _kind("write_late", write_late),
        _kind("swallow", swallow, wall_limit=timedelta(seconds=1)),
        _kind("die", die),
        _kind("stop_itself", stop_itself),
        _kind("lose_database", lose_database),
        _kind("fill_folder", fill_folder),
        _kind("fail", fail),
        _kind("nothing", nothing),
    )
)
