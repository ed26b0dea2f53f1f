"""Sending a spool, against `lftp mirror -R` with temporary names; both to vsftpd, pair by pair.

Ours is a run of a channel as a worker does it: lock on the server, a row of the ledger before each
step, sizes compared, renames, the files moved to `cur` and all of it on the disk. After each run
every file must be at the server with its bytes. `python -m bench.delivery far large` runs single
cases; `BENCH_FILES` and `BENCH_PAIRS` say how many small files and how often.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.delivery_places import Place, Sender, far, make_files, mirror, names_of, near
from bench.report import Goal, report
from tests.servers import running_redis

FILES = int(os.environ.get("BENCH_FILES", "5000"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "5"))
MEMORY_MB = 60
ROUND_TRIP_MS = 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """Files of one size to a place, by so many connections; the bound for ours to the peer's."""

    place: Callable[[], AbstractContextManager[Place]]
    count: int
    size: int
    connections: int
    at_most: float | None


@dataclass(kw_only=True)
class Runs:
    """Seconds of ours and of the peer, pair by pair, megabytes of ours, files that came whole."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    peer_whole: list[float] = field(default_factory=list)


SMALL, LARGE = 4096, 50_000_000
_FAR = partial(far, milliseconds=ROUND_TRIP_MS)
CASES = {
    "small": Case(place=near, count=FILES, size=SMALL, connections=1, at_most=0.9),
    "small-4": Case(place=near, count=FILES, size=SMALL, connections=4, at_most=0.9),
    "far": Case(place=_FAR, count=100, size=SMALL, connections=1, at_most=0.5),
    "far-4": Case(place=_FAR, count=100, size=SMALL, connections=4, at_most=0.5),
    "large": Case(place=near, count=20, size=LARGE, connections=1, at_most=1.3),
    "large-4": Case(place=near, count=20, size=LARGE, connections=4, at_most=1.3),
    "cut": Case(place=partial(far, cut=200), count=FILES, size=SMALL, connections=4, at_most=None),
}


def main(*cases: str) -> bool:
    """Measure and print; true if every goal is met."""
    goals: list[Goal] = []
    with running_redis() as redis:
        for name in names_of(cases, list(CASES)):
            with tempfile.TemporaryDirectory(prefix="bench-delivery-", dir="/var/tmp") as folder:
                runs = compare(CASES[name], Path(folder), redis_url=redis.url)
            goals += goals_of(name, CASES[name], runs)
    return report("Sending a spool, against lftp mirror -R with temporary names", goals)


def compare(case: Case, folder: Path, *, redis_url: str) -> Runs:
    """Run ours and the peer in turn, each to the same empty folder."""
    files = make_files(folder / "files", count=case.count, size=case.size)
    runs = Runs()
    with case.place() as place:
        sender = Sender(
            folder / "data", place=place, redis_url=redis_url, connections=case.connections
        )
        for _ in range(PAIRS):
            sender.fill(folder / "files")
            place.empty()
            seconds, memory = sender.send()
            runs.ours.append(seconds)
            runs.memory.append(memory)
            runs.whole.append(place.count_whole(files))
            place.empty()
            os.sync()
            started = time.perf_counter()
            mirror(folder / "files", place, connections=case.connections)
            runs.peer.append(time.perf_counter() - started)
            runs.peer_whole.append(place.count_whole(files))
    return runs


def goals_of(name: str, case: Case, runs: Runs) -> Iterator[Goal]:
    """The promises of a case: seconds, memory, and that no file is missing."""
    if case.at_most is not None:
        yield Goal(what=f"{name}, seconds", ours=runs.ours, peer=runs.peer, at_most=case.at_most)
    else:
        print(f"  {name}: of {case.count} files the peer brought {runs.peer_whole}")
    yield Goal(
        what=f"{name}, whole files at the server, of {case.count}",
        ours=[min(runs.whole)],
        peer=[case.count],
        at_least=1.0,
    )
    yield Goal(
        what=f"{name}, peak memory in MB, against {MEMORY_MB}",
        ours=runs.memory,
        peer=[MEMORY_MB] * len(runs.memory),
        at_most=1.0,
    )


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
