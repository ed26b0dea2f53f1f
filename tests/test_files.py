"""Files are whole or absent, names are safe, nothing is overwritten by chance."""

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidError
from portal.files import (
    move_new,
    private_folder,
    remove_tree,
    safe_name,
    write_private,
    written_aside,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["данные.csv", "a b.txt", "…", "x" * 255, ".hidden", "-rf"])
def test_names_that_people_use_are_kept(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", " .. ", "a/b", "a\\b", "/etc", "a\0b", "a\nb", "x" * 256, "é" * 128],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        safe_name(name)


def test_one_name_has_one_form() -> None:
    assert safe_name("e\u0301") == safe_name("\u00e9") == "\u00e9"


@given(st.text())
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    root = Path("/srv/data")
    try:
        path = root / safe_name(name)
    except InvalidError:
        return
    assert Path(os.path.normpath(path)).parent == root


def test_a_written_file_replaces_the_old_one_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with written_aside(target) as stream:
        stream.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def fail_halfway() -> None:
        with written_aside(target) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_private_file_is_its_owners_only(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"secret")
    assert mode(tmp_path / "key") == 0o600


def test_of_many_first_writers_one_wins_and_all_see_the_same(tmp_path: Path) -> None:
    target, start = tmp_path / "key", threading.Barrier(8)
    seen: list[bytes] = []

    def write(content: bytes) -> None:
        start.wait()
        write_private(target, content, overwrite=False)
        seen.append(target.read_bytes())

    writers = [threading.Thread(target=write, args=(bytes([65 + n]),)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_move_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    with pytest.raises(FileExistsError):
        move_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "a"
    assert (tmp_path / "b").read_text() == "b"


def test_a_move_of_what_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        move_new(tmp_path / "a", tmp_path / "b")


def test_private_folders_are_private_up_to_the_one_that_was_there(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b" / "c")
    assert [mode(tmp_path / part) for part in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o711)
    private_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a") == 0o711


def test_removing_a_tree_that_is_gone_is_fine(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    remove_tree(tmp_path / "a")
    remove_tree(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
