r"""A million rows imported into a table, every bad one explained and all of it kept for undoing.

The peer of each case runs in turn with it, into a copy of the same tables. For PostgreSQL it is
`psql` with `\copy` of the clean file into the same table, which checks nothing before, stops at the
first bad row and keeps nothing. `python -m bench.imports insert xlsx` runs single cases;
`BENCH_ROWS` and `BENCH_PAIRS` say how many rows and how often, `BENCH_LONG=1` adds ten times the
rows.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import psycopg
from python_calamine import CalamineWorkbook

from bench import peers
from bench.batch import LONG, MUCH, PAIRS, ROWS, apart
from bench.import_files import (
    HEADER,
    NUMBER,
    TOWN,
    bad_rows,
    write_bad,
    write_clean,
    write_old,
    write_sheet,
)
from bench.import_places import (
    Asked,
    Model,
    ask,
    check_count,
    check_ours,
    copy,
    fresh,
    make_model,
    sqlite_import,
)
from bench.import_worker import perform
from bench.report import Goal, report
from portal.imports.words import ImportMode
from tests.servers import Postgres, running_postgres

MEMORY_MB, SHEET_ROWS = 150, 100_000
INSERT = Asked()


@dataclass(kw_only=True)
class Runs:
    """Seconds of ours and of the peer, pair by pair, and megabytes of ours."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


class Bench:
    """The files and the databases, each made when a case first wants it."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.folder = folder
        self._opened = opened

    @cached_property
    def cluster(self) -> Postgres:
        """A PostgreSQL that loses nothing."""
        return self._opened.enter_context(running_postgres(durable=True))

    @cached_property
    def postgresql(self) -> Model:
        """Empty tables there."""
        return make_model(self.folder / "postgresql", self.cluster)

    @cached_property
    def sqlite(self) -> Model:
        """Empty tables in a file."""
        return make_model(self.folder / "sqlite")

    def file(self, name: str, write: Callable[..., None], *, rows: int = ROWS) -> Path:
        """The file called `name`, written once."""
        path = self.folder / name
        if not path.exists():
            write(path, rows=rows)
        return path

    @property
    def clean(self) -> Path:
        """All rows good."""
        return self.file("clean.csv", write_clean)

    @property
    def bad(self) -> Path:
        """One in a hundred bad."""
        return self.file("bad.csv", write_bad)


def insert(bench: Bench) -> Iterator[Goal]:
    """Good rows of a file with bad ones."""
    runs = compare(bench, bench.postgresql, bench.bad, INSERT, bad=bad_rows(ROWS))
    yield from goals_of("insert, 1 % bad", runs, at_most=1.25)


def whole(bench: Bench) -> Iterator[Goal]:
    """All or nothing."""
    runs = compare(bench, bench.postgresql, bench.clean, Asked(partial=False))
    yield from goals_of("insert, all or nothing", runs, at_most=1.25)


def upsert(bench: Bench) -> Iterator[Goal]:
    """Half of the rows are there already, with other values, which are kept."""
    filled = make_model(bench.folder / "old", bench.cluster, old=bench.file("old.csv", write_old))
    asked = Asked(mode=ImportMode.UPSERT)
    runs = compare(bench, filled, bench.clean, asked, peers_model=bench.postgresql)
    yield from goals_of("upsert, half new, half changed", runs, at_most=2.0)


def identity(bench: Bench) -> Iterator[Goal]:
    """The database makes up the keys; all kinds of bad rows but duplicates."""
    source = bench.file("keyless.csv", partial(write_bad, duplicates=False))
    asked = Asked(table="numbered")
    runs = compare(
        bench,
        bench.postgresql,
        source,
        asked,
        bad=bad_rows(ROWS),
        peer=partial(copy, table=asked.table),
    )
    yield from goals_of("insert with keys of the database, 1 % bad", runs, at_most=2.5)


def sqlite(bench: Bench) -> Iterator[Goal]:
    """The same as `insert` into a file."""
    runs = compare(bench, bench.sqlite, bench.bad, INSERT, bad=bad_rows(ROWS), peer=sqlite_import)
    yield from goals_of("insert into SQLite, 1 % bad", runs, at_most=3.3)


def xlsx(bench: Bench) -> Iterator[Goal]:
    """A spreadsheet, against reading it and COPY in one go."""
    rows = min(ROWS, SHEET_ROWS)
    source = bench.file("sheet.xlsx", write_sheet, rows=rows)
    runs = compare(
        bench,
        bench.postgresql,
        source,
        INSERT,
        rows=rows,
        peer=copy_sheet,
        peers_source=source,
    )
    yield from goals_of(f"a spreadsheet of {rows} rows", runs, at_most=1.3)


def tools(bench: Bench) -> Iterator[Goal]:
    """What else people take, on a few rows."""
    yield from peers.factors(
        bench.file("sample.csv", write_clean, rows=peers.SAMPLE),
        peers.available(peers.django, peers.csvkit, peers.pgloader, peers.pandas),
        ours=through_portal,
        fresh=lambda: fresh(bench.postgresql),
        check=partial(check_count, table="record", rows=peers.SAMPLE),
        pairs=PAIRS,
    )


def memory(bench: Bench) -> Iterator[Goal]:
    """Ten times the rows; only with BENCH_LONG=1, for it takes its time."""
    if not LONG:
        return
    many, few = [], []
    much = bench.file("much.csv", write_bad, rows=ROWS * MUCH)
    with fresh(bench.postgresql) as folder:
        few.append(run_ours(bench.bad, folder, INSERT, rows=ROWS, bad=bad_rows(ROWS))[1])
    with fresh(bench.postgresql) as folder:
        rows = ROWS * MUCH
        many.append(run_ours(much, folder, INSERT, rows=rows, bad=bad_rows(rows))[1])
    yield Goal(what=f"peak memory in MB at {MUCH} × the rows", ours=many, peer=few, at_most=1.1)


CASES = {
    case.__name__: case for case in (insert, whole, upsert, identity, sqlite, xlsx, tools, memory)
}


def main(*names: str) -> bool:
    """Measure and print what the cases called `names` are, or all; true if every goal is met."""
    met = []
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-imports-"))
        bench = Bench(Path(folder), opened)
        for name in names or CASES:
            goals = list(CASES[name](bench))
            met.append(report(f"Imports: {name} ({ROWS} rows)", goals))
    return all(met)


def compare(
    bench: Bench,
    model: Model,
    source: Path,
    asked: Asked,
    *,
    rows: int = ROWS,
    bad: int = 0,
    peer: Callable[[Path, Path], None] = copy,
    peers_source: Path | None = None,
    peers_model: Model | None = None,
) -> Runs:
    """Ours and the peer in turn; the peer takes the clean file if it is not told another."""
    runs = Runs()
    for _ in range(PAIRS):
        with fresh(model) as folder:
            seconds, megabytes = run_ours(source, folder, asked, rows=rows, bad=bad)
        runs.ours.append(seconds)
        runs.memory.append(megabytes)
        with fresh(peers_model or model) as folder:
            runs.peer.append(apart(peer, peers_source or bench.clean, folder)[0])
            check_count(folder, asked.table, rows)
    return runs


def run_ours(
    source: Path, folder: Path, asked: Asked, *, rows: int, bad: int
) -> tuple[float, float]:
    """Seconds and megabytes of a worker's process; storing the file is not timed."""
    ask(source, folder, asked)
    command = [sys.executable, "-m", "bench.import_worker", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    seconds, megabytes = json.loads(done.stdout)
    check_ours(folder, asked, rows=rows, bad=bad)
    return seconds, megabytes


def through_portal(source: Path, folder: Path) -> None:
    """Store the file, ask and perform, in one process."""
    ask(source, folder, INSERT)
    perform(folder)


def copy_sheet(source: Path, folder: Path) -> None:
    """Calamine and COPY with nothing in between but whole numbers, which it gives as fractions."""
    rows = CalamineWorkbook.from_path(source).get_sheet_by_index(0).iter_rows()
    next(rows)
    statement = f"COPY record ({', '.join(HEADER)}) FROM STDIN"
    with (
        psycopg.connect((folder / "url").read_text()) as connection,
        connection.cursor() as cursor,
        cursor.copy(statement) as taken,
    ):
        for row in rows:
            row[NUMBER], row[TOWN] = int(row[NUMBER]), int(row[TOWN])
            taken.write_row(row)


def goals_of(what: str, runs: Runs, *, at_most: float) -> Iterator[Goal]:
    """The goals of one case."""
    yield Goal(what=f"seconds, {what}", ours=runs.ours, peer=runs.peer, at_most=at_most)
    bound = [float(MEMORY_MB)] * len(runs.memory)
    yield Goal(
        what=f"peak memory in MB, {what}, against {MEMORY_MB}",
        ours=runs.memory,
        peer=bound,
        at_most=1.0,
    )


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
