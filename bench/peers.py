"""Tools that people take instead: each puts a small file into the table `record`.

They are timed as they are used, as a process from its start to its end; ours as a worker that runs
does it, from storing the file on. The tools in Python have an environment of their own, made by
`make bench` from peers.txt.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from bench.batch import apart
from bench.report import Goal

SAMPLE = int(os.environ.get("BENCH_SAMPLE", "20_000"))
HERE = Path(__file__).parent
PEERS = HERE / ".peers" / "bin"
LOADING = """LOAD CSV FROM '{file}' ({columns})
    INTO postgresql://postgres@unix:{host}:5432/{database} TARGET TABLE record ({columns})
    WITH skip header = 1, fields optionally enclosed by '"', fields terminated by ',';
"""
Run = Callable[[Path, Path], None]
Check = Callable[[Path], None]
Fresh = Callable[[], AbstractContextManager[Path]]


def django(source: Path, folder: Path) -> None:
    """django-import-export with `use_bulk`."""
    _run(PEERS / "python", HERE / "peer_django.py", source, *_place(folder))


def csvkit(source: Path, folder: Path) -> None:
    """`csvsql --insert`, which finds out the types by itself."""
    host, database = _place(folder)
    url = f"postgresql+psycopg://postgres@/{database}?host={host}"
    options = ("--insert", "--no-create", "--tables", "record")
    _run(PEERS / "csvsql", "--db", url, *options, source)


def pandas(source: Path, folder: Path) -> None:
    """`read_csv` and `to_sql`."""
    _run(PEERS / "python", HERE / "peer_pandas.py", source, *_place(folder))


def pgloader(source: Path, folder: Path) -> None:
    """Debian's package."""
    host, database = _place(folder)
    with source.open(encoding="utf-8") as stream:
        columns = stream.readline().strip().replace(",", ", ")
    script = folder / "sample.load"
    script.write_text(LOADING.format(file=source, columns=columns, host=host, database=database))
    _run("pgloader", "--quiet", "--root-dir", folder, script)


def available(*peers: Run) -> Iterator[Run]:
    """Those of the tools that are installed; says which are not."""
    for peer in peers:
        there = shutil.which("pgloader") if peer is pgloader else (PEERS / "csvsql").exists()
        if there:
            yield peer
        else:
            print(f"  {peer.__name__} is not installed and left out; `make bench` installs it")


def factors(
    source: Path,
    peers: Iterable[Run],
    *,
    ours: Run,
    fresh: Fresh,
    pairs: int,
    check: Check = lambda _folder: None,
) -> Iterator[Goal]:
    """By which factor ours is faster than each peer on the same file, in turn."""
    for peer in peers:
        mine, theirs = [], []
        for _ in range(pairs):
            with fresh() as folder:
                mine.append(apart(ours, source, folder)[0])
                check(folder)
            with fresh() as folder:
                theirs.append(_seconds(peer, source, folder))
                check(folder)
        yield Goal(
            what=f"seconds for a sample of {SAMPLE} rows, speed against {peer.__name__}",
            ours=mine,
            peer=theirs,
            at_least=1.0,
            speed=True,
        )


def _seconds(run: Run, source: Path, folder: Path) -> float:
    started = time.perf_counter()
    run(source, folder)
    return time.perf_counter() - started


def _place(folder: Path) -> tuple[str, str]:
    """The folder of the cluster's socket, and the database."""
    address, _, host = (folder / "url").read_text().partition("?host=")
    return host, address.rpartition("/")[2]


def _run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {(done.stderr or done.stdout)[-2000:]}")
