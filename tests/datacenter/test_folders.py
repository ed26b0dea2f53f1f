"""The storage and its files, as pages see them."""

import os
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal.datacenter.disk import Entry
from portal.datacenter.folders import DataCenter, DataCenterFile, readable_size
from portal.datacenter.intents import DatabaseIntents
from portal.datacenter.steps import Folder
from portal.errors import InvalidError, NotFoundError
from portal.runtime import Runtime
from tests.datacenter.scenes import lay


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 bytes"),
        (13, "13 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.00 kb"),
        (1536, "1.50 kb"),
        (1024**2, "1.00 MB"),
        (5 * 1024**3, "5.00 GB"),
        (2048 * 1024**3, "2048.00 GB"),
    ],
)
def test_sizes_read_as_in_the_original(size: int, text: str) -> None:
    assert readable_size(size) == text


def test_a_files_date_is_in_the_portals_zone() -> None:
    entry = Entry(path=Path("x.csv"), size=1, mtime_ns=1_780_000_000_000_000_000, changed_ns=0)
    file = DataCenterFile(entry=entry, zone=ZoneInfo("Asia/Tokyo"), long_names={})
    assert file.get_date() == "2026-05-29 05:26:40"


def test_only_tables_in_the_root_wait(center: DataCenter) -> None:
    lay(
        center.storage,
        dict.fromkeys(
            ["b.csv", "a.XLSX", "c.txt", ".d.csv", "e.csv.part", "finished/f.csv"], b"x\n"
        ),
    )
    assert [file.name for file in center.get_pending_files()] == ["a.XLSX", "b.csv"]


def test_waiting_files_come_by_name_or_the_newest_first(center: DataCenter) -> None:
    for age, name in enumerate(["b.csv", "a.csv", "c.csv"]):
        lay(center.storage, {name: b"x\n"})
        os.utime(center.storage / name, (1000 - age, 1000 - age))
    names = [file.name for file in center.get_pending_files()]
    newest = [file.name for file in center.get_pending_files(newest_first=True)]
    assert (names, newest) == (["a.csv", "b.csv", "c.csv"], ["b.csv", "a.csv", "c.csv"])


def test_finished_files_are_the_newest_hundred_of_good_rows(center: DataCenter) -> None:
    for number in range(101):
        name = f"finished/{number:03}.create.finished.csv"
        lay(center.storage, {name: b"x\n", f"finished/{number:03}.csv": b"x\n"})
        os.utime(center.storage / name, (number, number))
    names = [file.name for file in center.get_finished_files()]
    assert (len(names), names[0], names[-1]) == (
        100,
        "100.create.finished.csv",
        "001.create.finished.csv",
    )


@pytest.mark.parametrize(
    "name", ["../secret_key", "/etc/passwd", "finished/x.csv", "..", "", "x\0.csv", "link.csv"]
)
def test_only_names_that_lie_there_are_found(center: DataCenter, tmp_path: Path, name: str) -> None:
    lay(center.storage, {"finished/x.csv": b"x\n"})
    (tmp_path / "target.csv").write_bytes(b"x\n")
    (center.storage / "link.csv").symlink_to(tmp_path / "target.csv")
    with pytest.raises(NotFoundError, match="There is no file"):
        center.get_file(name)


def test_a_file_is_found_by_its_folder_and_name(center: DataCenter) -> None:
    lay(center.storage, {"deleted/people.csv": b"x\n"})
    assert center.get_file("people.csv", Folder.DELETED).path.read_bytes() == b"x\n"


def test_pipes_and_links_are_no_files(center: DataCenter) -> None:
    os.mkfifo(center.storage / "pipe.csv")
    (center.storage / "dir.csv").mkdir()
    assert center.get_pending_files() == []


def test_a_storage_whose_folder_is_a_link_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    storage = tmp_path / "linked"
    storage.mkdir()
    (storage / "finished").symlink_to(tmp_path)
    with pytest.raises(InvalidError, match="plain folder"):
        DataCenter(
            storage,
            intents=DatabaseIntents(runtime.sessions.begin, clock=runtime.clock),
            clock=runtime.clock,
        )


@pytest.mark.parametrize(("ok", "pending"), [(True, True), (False, False)])
def test_a_run_is_without_errors_exactly_if_nothing_is_pending(
    center: DataCenter, tmp_path: Path, ok: bool, pending: bool
) -> None:
    lay(center.storage, {"x.csv": b"x\n"})
    with pytest.raises(ValueError, match="pending"):
        center.dist_processed_files(
            ok, center.storage / "x.csv", None, tmp_path / "p.csv" if pending else None
        )


def test_only_files_that_wait_in_the_root_are_distributed(
    center: DataCenter, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(b"x\n")
    with pytest.raises(InvalidError, match="does not wait"):
        center.dist_processed_files(True, tmp_path / "x.csv", None, None)


def test_other_files_beside_the_results_are_left_alone(center: DataCenter, tmp_path: Path) -> None:
    lay(center.storage, {"x.csv": b"x\n1\n"})
    lay(tmp_path / "home", {"good.csv": b"x\n1\n", "letter.txt": b"dear"})
    center.dist_processed_files(
        True, center.storage / "x.csv", tmp_path / "home" / "good.csv", None
    )
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_good_rows_that_cannot_be_joined_get_a_file_of_their_own(
    center: DataCenter, tmp_path: Path
) -> None:
    broken = b"name\na\0\n"
    lay(
        center.storage,
        {
            "x.create.pending.csv": b"name\nb\n",
            "unfinished/x.csv": b"name\na\nb\n",
            "finished/x.create.finished.csv": broken,
        },
    )
    lay(tmp_path / "results", {"good.csv": b"name\nb\n"})
    center.dist_processed_files(
        True,
        center.storage / "x.create.pending.csv",
        tmp_path / "results" / "good.csv",
        None,
    )
    finished = center.storage / "finished"
    assert (finished / "x.create.finished.csv").read_bytes() == broken
    assert (finished / "x.create.finished (2).csv").read_bytes() == b"name\nb\n"


def test_a_file_that_changed_while_it_was_processed_is_kept_beside_what_was_read(
    center: DataCenter, tmp_path: Path
) -> None:
    lay(center.storage, {"x.csv": b"changed meanwhile\n"})
    lay(tmp_path / "results", {"good.csv": b"name\na\n", "copy": b"as it was read\n"})
    center.dist_processed_files(
        True,
        center.storage / "x.csv",
        tmp_path / "results" / "good.csv",
        None,
        copy=tmp_path / "results" / "copy",
    )
    assert (center.storage / "x.csv").read_bytes() == b"changed meanwhile\n"
    assert (center.storage / "finished" / "x.csv").read_bytes() == b"as it was read\n"


def test_a_source_that_somebody_took_away_is_replaced_by_the_copy(
    center: DataCenter, tmp_path: Path
) -> None:
    lay(tmp_path / "results", {"good.csv": b"name\na\n", "copy": b"as it was read\n"})
    results = tmp_path / "results"
    source = center.storage / "x.csv"
    center.dist_processed_files(True, source, results / "good.csv", None, copy=results / "copy")
    assert (center.storage / "finished" / "x.csv").read_bytes() == b"as it was read\n"


def test_without_a_copy_a_missing_source_is_an_error(center: DataCenter) -> None:
    with pytest.raises(NotFoundError, match="not in the storage any more"):
        center.dist_processed_files(True, center.storage / "x.csv", None, None)


Change = Callable[[Path], None]


def appear(storage: Path) -> None:
    (storage / "finished" / "x.csv").write_bytes(b"somebody else's\n")


def edit_pending(storage: Path) -> None:
    (storage / "x.create.pending.csv").write_bytes(b"edited in the last moment\n")


def edit_finished(storage: Path) -> None:
    (storage / "finished" / "x.create.finished.csv").write_bytes(b"edited as well\n")


@pytest.mark.parametrize(
    ("change", "content"),
    [
        (appear, b"somebody else's\n"),
        (edit_pending, b"edited in the last moment\n"),
        (edit_finished, b"edited as well\n"),
    ],
)
def test_what_comes_between_plan_and_step_is_kept(
    runtime: Runtime, tmp_path: Path, change: Change, content: bytes
) -> None:
    def meddle(point: str) -> None:
        if point == "intended":
            change(center.storage)

    center = DataCenter(
        tmp_path / "storage",
        intents=DatabaseIntents(runtime.sessions.begin, clock=runtime.clock),
        clock=runtime.clock,
        mark=meddle,
    )
    original, pending = b"name\na\nb\n", b"name\nb\n"
    lay(
        center.storage,
        {
            "x.create.pending.csv": pending,
            "unfinished/x.csv": original,
            "finished/x.create.finished.csv": b"name\na\n",
        },
    )
    lay(tmp_path / "results", {"good.csv": b"name\nb\n"})
    source = center.storage / "x.create.pending.csv"
    center.dist_processed_files(True, source, tmp_path / "results" / "good.csv", None)
    there = [path.read_bytes() for path in center.storage.rglob("*") if path.is_file()]
    assert there.count(content) == 1
    assert there.count(original) == 1
    assert there.count(b"name\r\na\r\nb\r\n") == 1
