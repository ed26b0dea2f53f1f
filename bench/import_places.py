"""Where the bench of imports runs: models of databases, and a fresh copy of one for each run.

A run of ours is a job of imports, asked for as the shell does and performed as a worker does.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select, text

from bench.import_files import HEADER, TOWNS
from bench.import_worker import settings_of
from portal.accounts.permissions import SYSTEM
from portal.assembly import KINDS, processors_for
from portal.imports.files import store_file
from portal.imports.orders import ImportOrder, ask_to_import
from portal.imports.words import ImportMode
from portal.jobs.models import Job
from portal.migrations.run import upgrade
from portal.rows.batch_kinds import Wish
from portal.rows.books import open_books
from portal.rows.processors import Store
from portal.runtime import Runtime
from tests.servers import Postgres

COLUMNS = """name varchar(40) NOT NULL, price numeric(10, 2), day date, street varchar(60),
    active boolean, email text, town integer REFERENCES town, note text, code varchar(8)"""
TABLES = (
    "CREATE TABLE town (id integer PRIMARY KEY, name text NOT NULL)",
    f"CREATE TABLE record (number integer PRIMARY KEY, {COLUMNS})",
)
# Only PostgreSQL is asked for keys that the database makes up.
NUMBERED = f"""CREATE TABLE numbered (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number integer NOT NULL, {COLUMNS})"""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A portal's folder and the tables it works on; without a cluster they are in SQLite."""

    folder: Path
    cluster: Postgres | None = None
    database: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of an import: the table, how, and whether good rows suffice."""

    table: str = "record"
    mode: ImportMode = ImportMode.INSERT
    partial: bool = True


def make_model(folder: Path, cluster: Postgres | None = None, *, old: Path | None = None) -> Model:
    """Tables without records, or with those of the file `old`."""
    folder.mkdir()
    database = cluster.create() if cluster else ""
    (folder / "url").write_text(cluster.url(database) if cluster else "")
    runtime = Runtime.open(settings_of(folder))
    upgrade(runtime.engine)
    towns = [{"id": number, "name": f"Town {number}"} for number in range(1, TOWNS + 1)]
    with runtime.tables.begin() as connection:
        for statement in (*TABLES, NUMBERED) if cluster else TABLES:
            connection.exec_driver_sql(statement)
        connection.execute(text("INSERT INTO town VALUES (:id, :name)"), towns)
    open_books(runtime, Store.TABLES)
    runtime.close()
    if old is not None:
        copy(old, folder)
    if cluster:
        _execute(cluster, database, "VACUUM ANALYZE")
    return Model(folder=folder, cluster=cluster, database=database)


@contextmanager
def fresh(model: Model) -> Iterator[Path]:
    """The folder of a copy of `model`, gone afterwards."""
    folder = model.folder.with_name(f"{model.folder.name}-copy")
    shutil.copytree(model.folder, folder)
    database = model.cluster.create(model.database) if model.cluster else ""
    try:
        if model.cluster:
            (folder / "url").write_text(model.cluster.url(database))
            _execute(model.cluster, database, "CHECKPOINT")
        yield folder
    finally:
        if model.cluster:
            model.cluster.drop(database)
        shutil.rmtree(folder)


def ask(source: Path, folder: Path, asked: Asked) -> None:
    """Store the file and queue its import, which a worker then does."""
    runtime = Runtime.open(settings_of(folder))
    with source.open("rb") as stream:
        stored = store_file(runtime, stream=stream, name=source.name, actor=SYSTEM)
    order = ImportOrder.of(stored, table=asked.table, mode=asked.mode, partial=asked.partial)
    wish = Wish(
        actor=SYSTEM,
        now=runtime.clock(),
        kinds=KINDS,
        waker=lambda _queue, _job: True,
        processors=processors_for(runtime),
        runtime=runtime,
    )
    with runtime.sessions.begin() as session:
        job_id = ask_to_import(session, order=order, wish=wish).job.id
    (folder / "job").write_text(job_id)
    runtime.close()


def check_ours(folder: Path, asked: Asked, *, rows: int, bad: int) -> None:
    """Raise SystemExit unless each row is accounted for, and the table has the good ones."""
    runtime = Runtime.open(settings_of(folder))
    with runtime.reads() as session:
        job = session.scalars(select(Job).where(Job.id == (folder / "job").read_text())).one()
        result: dict[str, Any] = job.result or {}
        if job.state != "succeeded":
            raise SystemExit(f"the import ended {job.state}: {job.reason}")
    runtime.close()
    done = sum(result[name] for name in ("created", "updated", "unchanged"))
    if (done, result["failed"]) != (rows - bad, bad):
        raise SystemExit(f"the sum is wrong: {json.dumps(result)[:500]}")
    check_count(folder, asked.table, rows - bad)


def check_count(folder: Path, table: str, rows: int) -> None:
    """Raise SystemExit unless the table has so many rows."""
    runtime = Runtime.open(settings_of(folder))
    with runtime.tables.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    runtime.close()
    if found != rows:
        raise SystemExit(f"there are {found} rows instead of {rows}")


def copy(source: Path, folder: Path, *, table: str = "record") -> None:
    r"""`psql` with `\copy`."""
    columns = ", ".join(HEADER)
    command = rf"\copy {table} ({columns}) from '{source}' with (format csv, header true)"
    url = (folder / "url").read_text()
    subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", url, "-c", command], check=True)


def sqlite_import(source: Path, folder: Path) -> None:
    """`sqlite3` with `.import`, which checks no reference; with the journal it has by itself."""
    commands = ("PRAGMA journal_mode=delete", f".import --csv --skip 1 {source} record")
    target = str(folder / "tables.sqlite")
    subprocess.run(["sqlite3", target, *commands], check=True, stdout=subprocess.DEVNULL)


def _execute(cluster: Postgres, database: str, statement: str) -> None:
    with closing(psycopg.connect(cluster.url(database), autocommit=True)) as connection:
        connection.execute(statement)
