"""The spool: a file is in one place, whole, under a name that can be delivered."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.delivery.spool import Space, Spool, SpoolBusyError
from portal.errors import ConflictError, InvalidError, NotFoundError

HOUR = timedelta(hours=1)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    made.prepare()
    return made


def put(spool: Spool, name: str, content: bytes = b"content", space: Space = Space.NEW) -> None:
    with spool.create(name) as stream:
        stream.write(content)
    if space != Space.TMP:
        spool.move(name, Space.TMP, space)


def names(spool: Spool) -> dict[str, list[str]]:
    return {space.name: sorted(os.listdir(space)) for space in spool.root.iterdir()}


def test_preparing_makes_three_folders_and_can_be_repeated(spool: Spool) -> None:
    spool.prepare()
    assert names(spool) == {"tmp": [], "new": [], "cur": []}


def test_a_file_is_made_in_tmp(spool: Spool) -> None:
    stream = spool.create("a-file")
    stream.write(b"This is the A file")
    stream.close()
    assert spool.path("a-file", "tmp").read_bytes() == b"This is the A file"


def test_a_file_that_is_being_made_is_not_made_twice(spool: Spool) -> None:
    with spool.create("a"), pytest.raises(ConflictError):
        spool.create("a")


def test_a_file_moves_from_place_to_place(spool: Spool) -> None:
    put(spool, "a")
    spool.move("a", "new", "cur")
    assert names(spool) == {"tmp": [], "new": [], "cur": ["a"]}


def test_a_move_overwrites_nothing(spool: Spool) -> None:
    put(spool, "a", b"first", Space.CUR)
    put(spool, "a", b"second")
    with pytest.raises(ConflictError, match="'cur' already has a file 'a'"):
        spool.move("a", "new", "cur")
    assert spool.path("a", "cur").read_bytes() == b"first"
    assert spool.path("a", "new").read_bytes() == b"second"


def test_a_file_put_away_beside_an_earlier_one_gets_a_number(spool: Spool) -> None:
    for content in (b"1", b"2", b"3"):
        put(spool, "a.csv", content)
        spool.put_away("a.csv", Space.NEW, Space.CUR)
    assert names(spool)["cur"] == ["a.csv", "a~2.csv", "a~3.csv"]
    assert spool.path("a~3.csv", "cur").read_bytes() == b"3"


def test_what_is_not_there_cannot_move(spool: Spool) -> None:
    with pytest.raises(NotFoundError):
        spool.move("a", "new", "cur")
    with pytest.raises(NotFoundError):
        spool.put_away("a", Space.NEW, Space.CUR)


def test_files_are_listed_by_name(spool: Spool) -> None:
    for name in ("b", "a", "C", "ä"):
        put(spool, name)
    assert spool.names("new") == ["C", "a", "b", "ä"]


def test_folders_and_links_are_no_files_of_a_spool(spool: Spool, tmp_path: Path) -> None:
    (spool.root / "new" / "folder").mkdir()
    (tmp_path / "secret").touch()
    (spool.root / "new" / "link").symlink_to(tmp_path / "secret")
    assert spool.names("new") == []


@pytest.mark.parametrize("name", ["a\r\nDELE b", "write", "read", ".portal-1-2-a", "x" * 200])
def test_files_that_cannot_be_delivered_are_told_apart(spool: Spool, name: str) -> None:
    (spool.root / "new" / name).touch()
    assert spool.names("new") == []
    assert list(spool.refused("new")) == [name]


def test_a_file_with_a_refused_name_can_be_put_aside_under_another(spool: Spool) -> None:
    (spool.root / "new" / "a\r\nDELE b").touch()
    assert spool.put_away("a\r\nDELE b", Space.NEW, Space.QUARANTINE) == "refused-a__DELE b"
    assert spool.refused("new") == {}


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "..", "", "a/b", "write", "a\nb"])
def test_no_name_leads_out_of_the_spool(spool: Spool, name: str) -> None:
    uses: tuple[Callable[[], object], ...] = (
        lambda: spool.create(name),
        lambda: spool.move(name, "new", "cur"),
        lambda: spool.remove(name, "cur"),
    )
    for use in uses:
        with pytest.raises(InvalidError):
            use()


def test_a_removed_file_is_gone(spool: Spool) -> None:
    put(spool, "a")
    spool.remove("a", "new")
    assert spool.names("new") == []
    with pytest.raises(NotFoundError):
        spool.remove("a", "new")


def test_pruning_removes_what_came_long_ago(spool: Spool) -> None:
    put(spool, "a", space=Space.CUR)
    assert spool.prune(Space.CUR, before=datetime.now(UTC) + HOUR) == ["a"]
    assert spool.names("cur") == []


def test_an_old_file_that_was_delivered_just_now_is_not_pruned(spool: Spool) -> None:
    put(spool, "a")
    os.utime(spool.path("a", "new"), (0, 0))
    spool.move("a", "new", "cur")
    assert spool.prune(Space.CUR, before=datetime.now(UTC) - HOUR) == []
    assert spool.names("cur") == ["a"]


def test_a_move_that_was_cut_in_two_is_ended(spool: Spool) -> None:
    put(spool, "a")
    os.link(spool.root / "new" / "a", spool.root / "cur" / "a")
    spool.prepare()
    assert names(spool) == {"tmp": [], "new": [], "cur": ["a"]}


def test_one_process_at_a_time_holds_a_spool(spool: Spool) -> None:
    with spool.held(), pytest.raises(SpoolBusyError), Spool(spool.root).held():
        pass
    with spool.held():
        pass
