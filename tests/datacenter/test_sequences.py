"""Any sequence of arrivals, runs, repairs and crashes: each file in one place, each row once."""

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from portal.datacenter.disk import WORK, drop_workspace, names_in
from portal.datacenter.folders import DataCenter
from portal.datacenter.names import find_pending
from portal.datacenter.steps import FOLDERS
from tests.datacenter.memory_intents import MemoryIntents

HEADER = b"row\r\n"
IN_MEMORY = Path("/dev/shm")
"""Each step here is synced to the disk many times, and no power is cut: memory does as well."""


class Crash(BaseException):
    """The process ends here."""


class Sequences(RuleBasedStateMachine):
    """The model knows originals by their content, and of each row whether it went well."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        self.intents = MemoryIntents()
        self.die_at = 0
        self.runs = self.dropped = 0
        self.originals: set[bytes] = set()
        self.good: set[bytes] = set()
        self.bad: set[bytes] = set()
        self.center = DataCenter(
            self.folder / "storage",
            intents=self.intents,
            clock=lambda: datetime.now(UTC),
            mark=self.mark,
        )

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def mark(self, _point: str) -> None:
        self.die_at -= 1
        if self.die_at == 0:
            raise Crash

    @rule(name=st.sampled_from(["a.csv", "A.csv", "b.csv", "a.create.pending.csv"]))
    def drop(self, name: str) -> None:
        path = self.center.storage / name
        if path.exists():
            return
        self.dropped += 1
        content = f"original {self.dropped}\r\n".encode()
        path.write_bytes(content)
        self.originals.add(content)

    @precondition(lambda self: self.center.get_pending_files())
    @rule(
        data=st.data(),
        mode=st.sampled_from(["create", "update"]),
        ok=st.booleans(),
        die_at=st.integers(0, 20),
    )
    def process(self, data: st.DataObject, mode: str, ok: bool, die_at: int) -> None:
        names = [file.name for file in self.center.get_pending_files()]
        source = self.center.storage / data.draw(st.sampled_from(names))
        self.runs += 1
        good, bad = (f"{self.runs} {word}\r\n".encode() for word in ("good", "bad"))
        pending = None if ok else self.result("pending", bad)
        finished, before = self.result("finished", good), set(rows_of(source))
        repairs, content = self.has_original(source.name), source.read_bytes()
        self.die_at = die_at
        try:
            self.center.dist_processed_files(
                ok, source, finished, pending, mode=mode, occasion=str(self.runs)
            )
        except Crash:
            self.die_at = 0
            self.tidy_up()
            self.center.dist_processed_files(
                ok, source, finished, pending, mode=mode, occasion=str(self.runs)
            )
        self.die_at = 0
        self.good.add(good)
        if repairs:
            self.bad -= before
            self.originals.discard(content)
        if not ok:
            self.bad.add(bad)

    def tidy_up(self) -> None:
        """What the portal does by itself after a crash."""
        for intent_id in self.intents.forgotten():
            self.center.resume(intent_id)
        for stray in names_in(self.center.storage / WORK):
            drop_workspace(self.center.storage, stray)

    def has_original(self, name: str) -> bool:
        pending = find_pending(name)
        unfinished = self.center.storage / "unfinished"
        return pending is not None and any(
            path.stem == pending.stem for path in unfinished.iterdir()
        )

    def result(self, name: str, row: bytes) -> Path:
        folder = self.folder / f"results {self.runs}"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(HEADER + row)
        return path

    @invariant()
    def every_original_is_in_exactly_one_place(self) -> None:
        found = Counter(path.read_bytes() for path in files_in(self.center.storage))
        assert {content: found[content] for content in self.originals} == dict.fromkeys(
            self.originals, 1
        )

    @invariant()
    def every_good_row_is_in_finished_once(self) -> None:
        found: Counter[bytes] = Counter()
        for path in files_in(self.center.storage / "finished"):
            found.update(path.read_bytes().splitlines(keepends=True))
        assert {row: found[row] for row in self.good} == dict.fromkeys(self.good, 1)

    @invariant()
    def every_row_that_failed_last_waits_once(self) -> None:
        found: Counter[bytes] = Counter()
        for path in files_in(self.center.storage):
            found.update(path.read_bytes().splitlines(keepends=True))
        assert {row: found[row] for row in self.bad} == dict.fromkeys(self.bad, 1)

    @invariant()
    def the_root_holds_the_five_folders_and_data_only(self) -> None:
        there = {path.name for path in self.center.storage.iterdir()}
        data = {file.name for file in self.center.get_pending_files()}
        assert there == {*FOLDERS, *data}


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def rows_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
