"""Looking at a file of 1 GB, as its page does: how many bytes of it are read.

The file has real rows in its first part and is sparse after them; the kernel's count of what the
process read (`rchar`) says how far the look went. The peer is the look at the first part alone.
"""

import re
import sys
import tempfile
from pathlib import Path

from bench.batch import apart, make_file
from bench.report import Goal, report
from portal.rows.looking import Wish, look

HEAD_ROWS, SIZE, MOST_KB, PAIRS = 20_000, 2**30, 512, 3
WARM, READ = "warm.csv", "read"


def main() -> bool:
    """Measure and print; true if every goal is met."""
    large, small = [], []
    with tempfile.TemporaryDirectory(prefix="bench-preview-") as name:
        folder = Path(name)
        for file in ("small.csv", "large.csv", WARM):
            make_file(folder / file, rows=HEAD_ROWS, bad=False)
        with (folder / "large.csv").open("r+b") as stream:
            stream.truncate(SIZE)
        for _ in range(PAIRS):
            large.append(kilobytes(folder / "large.csv", folder))
            small.append(kilobytes(folder / "small.csv", folder))
    bound = [float(MOST_KB)] * PAIRS
    return report(
        "Looking at a file of 1 GB",
        [
            Goal(what="kB read, against a file of 2 MB", ours=large, peer=small, at_most=1.0),
            Goal(what=f"kB read, against {MOST_KB}", ours=large, peer=bound, at_most=1.0),
        ],
    )


def kilobytes(source: Path, folder: Path) -> float:
    """How much a process reads for a look at the file."""
    apart(look_at, source, folder)
    return int((folder / READ).read_text()) / 1000


def look_at(source: Path, folder: Path) -> None:
    """Look, and note how much was read; a first look has loaded all code."""
    _look(folder / WARM)
    before = _read_so_far()
    _look(source)
    (folder / READ).write_text(str(_read_so_far() - before))


def _look(path: Path) -> None:
    seen = look(path, name=path.name, wish=Wish(), processors=())
    if seen.preview.fault is not None or not seen.preview.rows:
        raise SystemExit(f"the look at {path.name} showed no rows: {seen.preview.fault}")


def _read_so_far() -> int:
    counts = Path("/proc/self/io").read_text()
    return int(re.search(r"rchar: (\d+)", counts)[1])  # type: ignore[index]  # it is always there


if __name__ == "__main__":
    sys.exit(not main())
