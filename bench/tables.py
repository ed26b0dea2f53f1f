"""A million rows through the processor of a table, with the ledger, against what a database takes.

The file is that of the bench of batches: ten columns, five of them converted, one row in a hundred
wrong. SQLite's peer reads and checks the same rows and gives the good ones to `executemany`;
PostgreSQL's is `psql` with `\\copy` of the good rows alone, which checks nothing and keeps nothing.
Tools that people take instead get a few rows. `BENCH_LONG=1` adds ten times the rows.
"""

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench import peers
from bench.batch import FORMAT, HEADER, LONG, MUCH, ROWS, apart, make_file, portions
from bench.report import Goal, report
from portal.migrations.run import upgrade
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.catalog import catalog_of
from portal.tables.layout import Layout, lay_out
from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.reading import open_table
from tests.servers import running_postgres
from tests.tables.batches import TableBatches

PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))
MEMORY_MB = 150
TABLES = (
    "CREATE TABLE town (name text PRIMARY KEY)",
    "INSERT INTO town VALUES ('Dresden'), ('Benin City'), ('New York'), ('Ulaanbaatar')",
    """CREATE TABLE record (
    number integer PRIMARY KEY, name text, price numeric(10, 2), day date, street text,
    active boolean, email text, city text REFERENCES town, note text, code text)""",
)


@dataclass(kw_only=True)
class Runs:
    """Seconds of ours and of the peer, pair by pair, and megabytes of ours."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def main() -> bool:
    """Measure and print; true if every goal is met."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-tables-")))
        source = folder / "source.csv"
        make_file(source)
        sqlite = compare(source, folder / "sqlite", "", many_sqlite)
        cluster = opened.enter_context(running_postgres(durable=True))
        postgresql = compare(source, folder / "pg", cluster.url(cluster.create()), copy)
        goals = [
            *goals_of("SQLite, against executemany", sqlite, at_most=2.0),
            *goals_of(r"PostgreSQL, against psql \copy", postgresql, at_most=2.5),
            *tools(folder / "pg"),
        ]
        if LONG:
            goals.append(flat("SQLite", sqlite, folder / "sqlite"))
            goals.append(flat("PostgreSQL", postgresql, folder / "pg"))
    return report(f"A batch of {ROWS} rows into a table, with its ledger", goals)


def goals_of(what: str, runs: Runs, *, at_most: float) -> Iterator[Goal]:
    """The goals for one database."""
    yield Goal(what=f"seconds on {what}", ours=runs.ours, peer=runs.peer, at_most=at_most)
    bound = [float(MEMORY_MB)] * len(runs.memory)
    yield Goal(
        what=f"peak memory in MB, against {MEMORY_MB}", ours=runs.memory, peer=bound, at_most=1
    )


def tools(folder: Path) -> Iterator[Goal]:
    """What people take instead, on a few good rows into PostgreSQL."""
    sample = folder / "sample.csv"
    make_file(sample, rows=peers.SAMPLE, bad=False)

    @contextmanager
    def emptied() -> Iterator[Path]:
        yield folder
        empty(folder, rows=peers.SAMPLE)

    return peers.factors(
        sample,
        peers.available(peers.django, peers.csvkit),
        ours=partial(through_portal, rows=peers.SAMPLE),
        fresh=emptied,
        pairs=PAIRS,
    )


def flat(what: str, runs: Runs, folder: Path) -> Goal:
    """Ten times the rows take no more memory."""
    source, rows = folder / "much.csv", ROWS * MUCH
    make_file(source, rows=rows)
    memory = apart(partial(through_portal, rows=rows), source, folder)[1]
    empty(folder, rows=write_good(source, folder))
    what = f"peak memory in MB at {MUCH} × the rows on {what}"
    return Goal(what=what, ours=[memory], peer=runs.memory[:1], at_most=1.1)


def compare(source: Path, folder: Path, url: str, peer: Callable[[Path, Path], None]) -> Runs:
    """Ours and the peer in turn, each with an empty table."""
    folder.mkdir()
    (folder / "url").write_text(url)
    prepare(folder)
    good = write_good(source, folder)
    runs = Runs()
    for _ in range(PAIRS):
        seconds, memory = apart(through_portal, source, folder)
        runs.ours.append(seconds)
        runs.memory.append(memory)
        empty(folder, rows=good)
        runs.peer.append(apart(peer, source, folder)[0])
        empty(folder, rows=good)
    return runs


def settings_of(folder: Path) -> Settings:
    """A portal whose tables are in the database of `folder`."""
    return Settings(data=folder, tables_url=(folder / "url").read_text())


def prepare(folder: Path) -> None:
    """Make the portal's schema and the table."""
    runtime = Runtime.open(settings_of(folder))
    upgrade(runtime.engine)
    with runtime.tables.begin() as connection:
        for statement in TABLES:
            connection.exec_driver_sql(statement)
    runtime.close()


def empty(folder: Path, *, rows: int) -> None:
    """Remove what the last run wrote, which must be so many rows; it is not timed."""
    runtime = Runtime.open(settings_of(folder))
    is_sqlite = runtime.tables.dialect.name == "sqlite"
    with runtime.tables.begin() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM record").scalar_one()
        if found != rows:
            raise SystemExit(f"there are {found} rows instead of {rows}")
        connection.exec_driver_sql("DELETE FROM record" if is_sqlite else "TRUNCATE record")
    with closing(runtime.tables.raw_connection()) as raw:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)" if is_sqlite else "CHECKPOINT")
    runtime.close()


def through_portal(source: Path, folder: Path, *, rows: int = ROWS) -> None:
    """As a worker does it."""
    runtime = Runtime.open(settings_of(folder))
    batch = TableBatches(runtime, folder).run_file(source, "record", columns=HEADER)
    if batch.counts.created + batch.counts.failed != rows:
        raise SystemExit(f"the sum is wrong: {batch.counts}")
    runtime.close()


def many_sqlite(source: Path, folder: Path) -> None:
    """Read, check, executemany; one transaction, nothing kept about any row."""
    layout, conversion = checks(folder)
    codecs = [layout.codecs[name].encode for name in HEADER]
    insert = f"INSERT INTO record VALUES ({', '.join('?' * len(HEADER))})"
    with (
        closing(sqlite3.connect(folder / "tables.sqlite")) as connection,
        open_table(source, FORMAT) as table,
    ):
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        for rows in portions(table.rows):
            good = [
                tuple(
                    value if encode is None or value is None else encode(value)
                    for encode, value in zip(codecs, map(found.get, HEADER), strict=True)
                )
                for found in conversion.convert_many(rows)
                if not isinstance(found, RowErrors)
            ]
            connection.executemany(insert, good)
        connection.commit()


def copy(_source: Path, folder: Path) -> None:
    r"""`psql` with `\copy` of the rows that are good."""
    command = rf"\copy record from '{folder / 'good.csv'}' with (format csv, header true)"
    url = (folder / "url").read_text()
    subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", url, "-c", command], check=True)


def write_good(source: Path, folder: Path) -> int:
    """Write the rows that nothing is wrong with; returns how many."""
    _, conversion = checks(folder)
    written = 0
    with (
        open_table(source, FORMAT) as table,
        (folder / "good.csv").open("w", newline="", encoding="utf-8") as taken,
    ):
        writer = csv.writer(taken)
        writer.writerow(HEADER)
        for rows in portions(table.rows):
            found = zip(rows, conversion.convert_many(rows), strict=True)
            good = [cells for cells, values in found if not isinstance(values, RowErrors)]
            writer.writerows(good)
            written += len(good)
    return written


def checks(folder: Path) -> tuple[Layout, Conversion]:
    """What the table wants of its rows."""
    runtime = Runtime.open(settings_of(folder))
    tables = catalog_of(runtime).tables()
    dialect = runtime.tables.dialect.name
    layout = lay_out(tables["record"], tables, dialect=dialect, zone=runtime.settings.zone)
    runtime.close()
    return layout, Conversion(layout.fields, HEADER, creating=True)


if __name__ == "__main__":
    sys.exit(not main())
