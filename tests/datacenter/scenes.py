"""Runs whose results are to be distributed: the seed's cases and those it does not tell."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

ORIGINAL = b"name,age\r\nanna,1\r\nbert,x\r\n"
PENDING = b"name,age,--ERRORS--\r\nbert,x,age: Invalid integer data\r\n"
GOOD = b"name,age\r\nanna,1\r\n"
MORE = b"name,age\r\nbert,2\r\n"
STILL = b"name,age,--ERRORS--\r\nbert,y,age: Invalid integer data\r\n"
BOTH = b"name,age\r\nanna,1\r\nbert,2\r\n"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What lies in the storage, what came out of a run, and what must lie there afterwards."""

    lying: dict[str, bytes]
    source: str
    finished: bytes
    pending: bytes | None
    after: dict[str, bytes]
    original: bytes = ORIGINAL
    mode: str = "create"

    @property
    def known(self) -> set[bytes]:
        """Every content that a file may have at any instant."""
        pending = {self.pending} if self.pending else set()
        return {*self.lying.values(), *self.after.values(), self.finished, *pending}


REPAIRED = {
    "x.create.pending.csv": PENDING,
    "unfinished/x.csv": ORIGINAL,
    "finished/x.create.finished.csv": GOOD,
}
SCENES = {
    "without errors": Scene(
        lying={"x.csv": ORIGINAL},
        source="x.csv",
        finished=GOOD,
        pending=None,
        after={"finished/x.csv": ORIGINAL, "finished/x.create.finished.csv": GOOD},
    ),
    "with errors": Scene(
        lying={"x.csv": ORIGINAL},
        source="x.csv",
        finished=GOOD,
        pending=PENDING,
        after=REPAIRED,
    ),
    "repaired": Scene(
        lying=REPAIRED,
        source="x.create.pending.csv",
        finished=MORE,
        pending=None,
        after={"finished/x.csv": ORIGINAL, "finished/x.create.finished.csv": BOTH},
    ),
    "still faulty": Scene(
        lying=REPAIRED,
        source="x.create.pending.csv",
        finished=MORE,
        pending=STILL,
        after=REPAIRED | {"x.create.pending.csv": STILL, "finished/x.create.finished.csv": BOTH},
    ),
    "in another mode": Scene(
        lying=REPAIRED,
        source="x.create.pending.csv",
        finished=MORE,
        pending=STILL,
        mode="update",
        after={
            "x.update.pending.csv": STILL,
            "unfinished/x.csv": ORIGINAL,
            "finished/x.create.finished.csv": GOOD,
            "finished/x.update.finished.csv": MORE,
        },
    ),
    "pending of nothing known": Scene(
        lying={"x.create.pending.csv": PENDING},
        original=PENDING,
        source="x.create.pending.csv",
        finished=MORE,
        pending=STILL,
        after={
            "x.create.pending.create.pending.csv": STILL,
            "unfinished/x.create.pending.csv": PENDING,
            "finished/x.create.pending.create.finished.csv": MORE,
        },
    ),
    "named as one before": Scene(
        lying={"x.csv": ORIGINAL, "finished/x.csv": b"another\r\n1\r\n"},
        source="x.csv",
        finished=GOOD,
        pending=None,
        after={
            "finished/x.csv": b"another\r\n1\r\n",
            "finished/x (2).csv": ORIGINAL,
            "finished/x (2).create.finished.csv": GOOD,
        },
    ),
}


def lay(storage: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        (storage / name).write_bytes(content)


def lying(storage: Path) -> dict[str, bytes]:
    """All files that people see, by their path in the storage."""
    found = (path for path in storage.rglob("*") if path.is_file())
    visible = (path for path in found if ".work" not in path.parts)
    return {path.relative_to(storage).as_posix(): path.read_bytes() for path in visible}


def make_results(folder: Path, storage: Path, scene: Scene) -> dict[str, Any]:
    """The arguments of a distribution; the results lie in a folder of their own."""
    folder.mkdir()
    (folder / "finished.csv").write_bytes(scene.finished)
    if scene.pending is not None:
        (folder / "pending.csv").write_bytes(scene.pending)
    return {
        "ok": scene.pending is None,
        "source": storage / scene.source,
        "finished": folder / "finished.csv",
        "pending": None if scene.pending is None else folder / "pending.csv",
        "mode": scene.mode,
    }
