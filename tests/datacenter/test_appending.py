"""Good rows of several runs in one file."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.datacenter.appending import append, merged_columns


def appended(folder: Path, earlier: bytes, later: bytes) -> bytes:
    (folder / "earlier").write_bytes(earlier)
    (folder / "later").write_bytes(later)
    target = io.BytesIO()
    append(folder / "earlier", folder / "later", target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("earlier", "later", "both"),
    [
        (b"a,b\n1,2\n", b"a,b\n3,4\n", b"a,b\r\n1,2\r\n3,4\r\n"),
        (b"a,b\n1,2\n", b"b,c\n3,4\n", b"a,b,c\r\n1,2,\r\n,3,4\r\n"),
        (b"b,a\n1,2\n", b"a,b\n3,4\n", b"b,a\r\n1,2\r\n4,3\r\n"),
        (b"a\n", b"a\n1\n", b"a\r\n1\r\n"),
        (b"a\n1\n", b"a\n", b"a\r\n1\r\n"),
        (b"\r\n", b"a,b\n1,2\n", b"a,b\r\n1,2\r\n"),
        (b"", b"a\n1\n", b"a\r\n1\r\n"),
        (b"a;b\n1;2\n", b"a,b\n3,4\n", b"a;b\r\n1;2\r\n3;4\r\n"),
        (b'a,b\n"x\ny",2\n', b"a,b\n3,4\n", b'a,b\r\n"x\ny",2\r\n3,4\r\n'),
    ],
)
def test_old_rows_come_first_in_their_columns_and_new_columns_follow(
    tmp_path: Path, earlier: bytes, later: bytes, both: bytes
) -> None:
    assert appended(tmp_path, earlier, later) == both


@pytest.mark.parametrize(
    ("earlier", "later"), [(b"blah", b"blah"), (b"a,b\n", b""), (b"\r\n", b"a")]
)
def test_two_files_without_rows_make_one_line_end(
    tmp_path: Path, earlier: bytes, later: bytes
) -> None:
    assert appended(tmp_path, earlier, later) == b"\r\n"


def test_letters_that_the_earlier_encoding_lacks_are_kept(tmp_path: Path) -> None:
    earlier = "name,town\nMüller,Köln\nJürgen,Fürth\n".encode("cp1252")
    both = appended(tmp_path, earlier, "name,town\n名前,東京\n".encode())
    assert both.decode() == "name,town\r\nMüller,Köln\r\nJürgen,Fürth\r\n名前,東京\r\n"


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_no_column_of_either_is_lost(header: list[str], others: list[str]) -> None:
    columns = merged_columns(header, others)
    assert columns[: len(header)] == header
    assert all(columns.count(name) == max(header.count(name), others.count(name)) for name in "abc")
