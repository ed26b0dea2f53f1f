"""The export's zip against Info-ZIP `zip -6`: time, size and memory, pair by pair.

Both read the same files from disk. Ours does what an export does: SHA-256 of every entry, the
manifest, written aside, fsynced, renamed. The checking of the result is timed on its own line.
"""

import argparse
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
from datetime import UTC, datetime
from pathlib import Path

from portal.files import written_aside
from portal.projects.manifest import Manifest
from portal.projects.verification import verify_zip
from portal.projects.zip_writer import ZipWriter

MANUAL = Path("/usr/share/doc/postgresql-doc-15/html")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
PAGE_BYTES = 5000
MEMORY_GOAL = 64


def main() -> int:
    """Print all lines; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-zip-"))
    try:
        make_pages(folder / "mix", options.pages)
        shutil.copytree(folder / "mix", folder / "pages")
        make_pictures(folder / "mix", options.pictures)
        met = [
            compare(folder, "mix", options.pairs, time_goal=0.20),
            compare(folder, "pages", options.pairs, time_goal=0.55),
        ]
    finally:
        shutil.rmtree(folder)
    return 0 if all(met) else 1


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
        (folder / f"picture-{number:03}.jpg").write_bytes(source.randbytes(1_000_000))


def compare(folder: Path, name: str, pairs: int, *, time_goal: float) -> bool:
    """Run ours and the peer in turn and print what was measured; tell whether the goals are met."""
    ours, peer = folder / "ours.zip", folder / "peer.zip"
    runs = []
    for _ in range(pairs):
        mine, memory = apart(write_ours, folder / name, ours)
        theirs, _ = apart(write_peer, folder / name, peer)
        checking, check_memory = apart(check, ours)
        runs.append((mine, theirs, mine / theirs, memory, checking, check_memory))
        sizes = ours.stat().st_size, peer.stat().st_size
        peer.unlink()
    subprocess.run(["unzip", "-tqq", ours], check=True)
    mine, theirs, ratio, memory, checking, check_memory = map(
        statistics.median, zip(*runs, strict=True)
    )
    size_ratio = sizes[0] / sizes[1]
    report(f"zip {name} time", f"{mine:.2f} s", f"{theirs:.2f} s", ratio, time_goal)
    report(
        f"zip {name} size", f"{sizes[0] / 1e6:.1f} MB", f"{sizes[1] / 1e6:.1f} MB", size_ratio, 1.02
    )
    peak = max(memory, check_memory)
    print(f"{f'zip {name} peak memory':28} ours {memory:.0f} MB, checking {check_memory:.0f} MB, "
          f"goal {MEMORY_GOAL} MB  {'met' if peak <= MEMORY_GOAL else 'MISSED'}")  # fmt: skip
    print(f"{f'zip {name} checking':28} ours {checking:.2f} s ({checking / theirs:.2f} of zip -6)")
    return ratio <= time_goal and size_ratio <= 1.02 and peak <= MEMORY_GOAL


def report(what: str, ours: str, peer: str, ratio: float, goal: float) -> None:
    """Print one measured promise."""
    verdict = "met" if ratio <= goal else "MISSED"
    print(
        f"{what:28} ours {ours:>10}  zip -6 {peer:>10}  ratio {ratio:.3f} goal {goal:.2f} {verdict}"
    )


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
        ZipWriter(stream, moment=MOMENT) as archive,
        Manifest(project_id="p", portal_version="1", made_at=MOMENT) as manifest,
    ):
        root = str(folder)
        for where, folders, names in os.walk(root):
            folders.sort()
            inside = "p" + where[len(root) :]
            for name in sorted(names):
                manifest.add(archive.add_file(f"{inside}/{name}", f"{where}/{name}"))
        archive.add_chunks("p/manifest.json", manifest.chunks())


def write_peer(folder: Path, target: Path) -> None:
    """Let Info-ZIP do the same."""
    subprocess.run(["zip", "-6qr", target, folder.name], cwd=folder.parent, check=True)


def check(target: Path) -> None:
    """Re-open and re-hash everything."""
    verify_zip(target, project_id="p", on_bytes=lambda _: None)


if __name__ == "__main__":
    sys.exit(main())
