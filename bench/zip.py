"""The export's zip against Info-ZIP `zip -6`: time, size and memory, pair by pair.

Both read the same files from disk and write a new one. Ours does what an export does: SHA-256 of
every entry, the manifest, written aside, fsynced, renamed. The peer's output is not fsynced. The
checking of the result is timed on its own line.
"""

import multiprocessing
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.report import Goal, report
from portal.files import written_aside
from portal.projects.manifest import Manifest
from portal.projects.verification import verify_zip
from portal.projects.zip_writer import ZipWriter

MANUAL = Path("/usr/share/doc/postgresql-doc-15/html")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
PAGES, PAGE_BYTES = 20_000, 5000
PICTURES, PICTURE_BYTES = 200, 1_000_000
PAIRS = 5
MEMORY_MB = 64


@dataclass(kw_only=True)
class Runs:
    """What the pairs over one folder came to: seconds, and bytes or megabytes."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    peer_sizes: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    checking: list[float] = field(default_factory=list)


def main() -> bool:
    """Measure and print; true if every goal is met."""
    folder = Path(tempfile.mkdtemp(prefix="bench-zip-"))
    try:
        make_pages(folder / "mix", PAGES)
        shutil.copytree(folder / "mix", folder / "pages")
        make_pictures(folder / "mix", PICTURES)
        mix, pages = compare(folder, "mix"), compare(folder, "pages")
    finally:
        shutil.rmtree(folder)
    goals = [*goals_of("mix", mix, time_goal=0.20), *goals_of("pages", pages, time_goal=0.55)]
    met = report("Zip of an export, against zip -6", goals)
    for name, runs in (("mix", mix), ("pages", pages)):
        print(f"  {name}: checking takes {statistics.median(runs.checking):.2f} s more")
    return met


def make_pages(folder: Path, count: int) -> None:
    """Cut the PostgreSQL manual into pages of 5 kB, from another place each time around."""
    text = b"".join(path.read_bytes() for path in sorted(MANUAL.glob("*.html")))
    for number in range(count):
        start = number * (PAGE_BYTES + 37) % (len(text) - PAGE_BYTES)
        page = folder / f"{number % 100:02}" / f"page-{number:05}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(text[start : start + PAGE_BYTES])


def make_pictures(folder: Path, count: int) -> None:
    """Write pictures of 1 MB that no packer can shrink."""
    source = random.Random(7)
    for number in range(count):
        (folder / f"picture-{number:03}.jpg").write_bytes(source.randbytes(PICTURE_BYTES))


def compare(folder: Path, name: str) -> Runs:
    """Run ours and the peer in turn; `unzip -t` must find the last of ours whole."""
    ours, peer = folder / "ours.zip", folder / "peer.zip"
    runs = Runs()
    for _ in range(PAIRS):
        ours.unlink(missing_ok=True)
        peer.unlink(missing_ok=True)
        seconds, memory = apart(write_ours, folder / name, ours)
        runs.ours.append(seconds)
        runs.peer.append(apart(write_peer, folder / name, peer)[0])
        checking, check_memory = apart(check, ours)
        runs.checking.append(checking)
        runs.memory.append(max(memory, check_memory))
        runs.sizes.append(ours.stat().st_size / 1e6)
        runs.peer_sizes.append(peer.stat().st_size / 1e6)
    subprocess.run(["unzip", "-tqq", ours], check=True)
    return runs


def goals_of(name: str, runs: Runs, *, time_goal: float) -> list[Goal]:
    """The promises for one folder."""
    return [
        Goal(what=f"{name}, seconds", ours=runs.ours, peer=runs.peer, at_most=time_goal),
        Goal(what=f"{name}, MB", ours=runs.sizes, peer=runs.peer_sizes, at_most=1.02),
        Goal(
            what=f"{name}, peak memory in MB, with checking, against {MEMORY_MB}",
            ours=runs.memory,
            peer=[MEMORY_MB] * len(runs.memory),
            at_most=1.0,
        ),
    ]


def apart(work: Callable[..., None], *given: Path) -> tuple[float, float]:
    """Run `work` in a process of its own; return its seconds and its peak memory in MB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_measured, args=(there, work, *given))
    process.start()
    seconds, memory = here.recv()
    process.join()
    return seconds, memory


def _measured(pipe, work, *given) -> None:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    work(*given)
    seconds = time.perf_counter() - started
    pipe.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def write_ours(folder: Path, target: Path) -> None:
    """Write every file below `folder` as an export does."""
    with (
        written_aside(target) as stream,
        Manifest(project_id="p", portal_version="1", made_at=MOMENT) as manifest,
        ZipWriter(stream, moment=MOMENT) as archive,
    ):
        root = str(folder)
        for where, folders, names in os.walk(root):
            folders.sort()
            inside = "p" + where[len(root) :]
            for name in sorted(names):
                archive.add_file(f"{inside}/{name}", f"{where}/{name}", then=manifest.add)
        archive.drain()
        archive.add_chunks("p/manifest.json", manifest.chunks())


def write_peer(folder: Path, target: Path) -> None:
    """Let Info-ZIP do the same."""
    subprocess.run(["zip", "-6qr", target, folder.name], cwd=folder.parent, check=True)


def check(target: Path) -> None:
    """Re-open and re-hash everything."""
    verify_zip(target, project_id="p", on_bytes=lambda _: None)


if __name__ == "__main__":
    sys.exit(not main())
