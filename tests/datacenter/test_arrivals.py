"""Files that come by other ways than the pages appear by themselves, once they are whole."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.datacenter.arrivals import note_arrivals
from portal.datacenter.facts import forget_absent
from portal.datacenter.models import DataCenterFact
from portal.datacenter.service import open_data_center
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.scenes import lay, lying


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()


@pytest.fixture
def storage(runtime: Runtime) -> Path:
    return open_data_center(runtime).storage


@pytest.fixture
def later(runtime: Runtime) -> Runtime:
    """The same portal when the ten seconds are over."""
    return replace(runtime, clock=lambda: runtime.clock() + timedelta(seconds=10))


def seen(runtime: Runtime) -> list[str]:
    return [file.shown for file in open_data_center(runtime).get_pending_files()]


def test_a_dropped_file_appears_when_it_has_stood_still(
    runtime: Runtime, later: Runtime, storage: Path
) -> None:
    lay(storage, {"x.csv": b"x\n"})
    assert seen(runtime) == []
    assert note_arrivals(runtime) == []
    assert seen(later) == ["x.csv"]
    assert note_arrivals(later) == ["x.csv"]


def test_a_file_with_an_old_date_is_not_taken_for_whole(runtime: Runtime, storage: Path) -> None:
    lay(storage, {"x.csv": b"x\n"})
    os.utime(storage / "x.csv", (1000, 1000))
    assert seen(runtime) == []


def test_a_file_with_a_date_to_come_is_not_kept_waiting(later: Runtime, storage: Path) -> None:
    lay(storage, {"x.csv": b"x\n"})
    os.utime(storage / "x.csv", (4_000_000_000, 4_000_000_000))
    assert seen(later) == ["x.csv"]


def test_it_is_noted_once_with_its_owner(later: Runtime, storage: Path) -> None:
    lay(storage, {"x.csv": b"x\n"})
    assert [note_arrivals(later), note_arrivals(later)] == [["x.csv"], []]
    with later.reads() as session:
        fact = session.scalars(select(DataCenterFact)).one()
    assert (fact.origin, fact.by_name, fact.by_id) == (
        "dropped",
        (storage / "x.csv").owner(),
        None,
    )


def test_a_file_that_is_noted_is_seen_at_once_until_it_changes(
    runtime: Runtime, later: Runtime, storage: Path
) -> None:
    lay(storage, {"x.csv": b"x\n"})
    note_arrivals(later)
    assert seen(runtime) == ["x.csv"]
    lay(storage, {"x.csv": b"longer\n"})
    assert seen(runtime) == []


@pytest.mark.parametrize("name", [".x.csv", "x.csv.part", "x.txt"])
def test_hidden_files_those_on_their_way_and_no_tables_never_appear(
    later: Runtime, storage: Path, name: str
) -> None:
    lay(storage, {name: b"x\n"})
    assert note_arrivals(later) == []
    assert seen(later) == []


def test_links_never_appear(later: Runtime, storage: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(b"x\n")
    (storage / "x.csv").symlink_to(tmp_path / "secret.csv")
    assert note_arrivals(later) == []
    assert seen(later) == []


@pytest.mark.parametrize(
    ("dropped", "disk"),
    [
        (b"two\nlines.csv", "two\u240alines.csv"),
        (b"latin\xe9.csv", "latin\ufffd.csv"),
        ("cafe\u0301.csv".encode(), "caf\u00e9.csv"),
    ],
)
def test_a_harmful_name_gets_a_safe_one_on_disk(
    later: Runtime, storage: Path, dropped: bytes, disk: str
) -> None:
    with open(os.path.join(os.fsencode(storage), dropped), "wb") as stream:
        stream.write(b"x\n")
    assert seen(later) == []
    assert note_arrivals(later) == [disk]
    assert seen(later) == [disk]


def test_a_safe_name_that_is_taken_gets_a_number(later: Runtime, storage: Path) -> None:
    lay(storage, {"caf\u00e9.csv": b"composed\n", "cafe\u0301.csv": b"decomposed\n"})
    note_arrivals(later)
    assert lying(storage) == {
        "caf\u00e9.csv": b"composed\n",
        "caf\u00e9 (2).csv": b"decomposed\n",
    }


def test_a_long_dropped_name_is_still_seen_whole(later: Runtime, storage: Path) -> None:
    name = "é" * 120 + ".csv"
    lay(storage, {name: b"x\n"})
    note_arrivals(later)
    assert seen(later) == [name]


def test_facts_about_files_that_are_gone_are_forgotten(later: Runtime, storage: Path) -> None:
    lay(storage, {"x.csv": b"x\n", "y.csv": b"y\n"})
    note_arrivals(later)
    with later.sessions.begin() as session:
        assert forget_absent(session, present=["y.csv"]) == 1
        assert session.scalars(select(DataCenterFact.name)).all() == ["y.csv"]
