"""Rows come as they stand, with their numbers and lines, in little memory."""

import io
import os
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidError
from portal.tabular.decoding import BLOCK
from portal.tabular.formats import HEAD, Format, find_format
from portal.tabular.lines import Lines, split_lines
from portal.tabular.reading import open_table, preview
from portal.tabular.table import LIMITS, TableError
from tests.tabular.delimited import cells, read, read_text, stored

CSV = Format()


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(stored(tmp_path, "a,b"), CSV) == (["a", "b"], [])


def test_rows_come_one_by_one_before_a_fault_further_down(tmp_path: Path) -> None:
    path = stored(tmp_path, "a,b\n1,2\n3,4\n5,\0\n")
    with open_table(path, CSV) as table:
        assert list(islice(table.rows, 2)) == [(1, 2, ["1", "2"]), (2, 3, ["3", "4"])]
        with pytest.raises(TableError):
            next(table.rows)


def test_many_rows_are_read_in_little_memory(tmp_path: Path) -> None:
    path = stored(tmp_path, b"a,b\n" + b"hello,world\n" * 500_000)
    tracemalloc.start()
    with open_table(path, CSV) as table:
        count = sum(1 for _ in table.rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 500_000
    assert peak < 2_000_000


def test_marked_formulas_are_restored(tmp_path: Path) -> None:
    rows = read_text(tmp_path, "a,b\n'=1,'x\n''=2,'-5\n")
    assert cells(rows) == [["=1", "'x"], ["'=2", "-5"]]


def test_marked_formulas_stay_where_all_is_wanted_as_written(tmp_path: Path) -> None:
    assert cells(read_text(tmp_path, "a,b\n'=1,2\n", restore=False)) == [["'=1", "2"]]


def test_a_marked_header_is_restored(tmp_path: Path) -> None:
    assert read(stored(tmp_path, "'@id,b\n"), CSV)[0] == ["@id", "b"]


def test_marks_far_down_the_file_are_restored(tmp_path: Path) -> None:
    content = "a,b\n" + "1,O'Brien\n" * BLOCK + "2,'=x\n"
    assert read_text(tmp_path, content)[-1] == (BLOCK + 1, BLOCK + 2, ["2", "=x"])


def test_a_preview_shows_the_first_rows_and_that_there_are_more(tmp_path: Path) -> None:
    shown = preview(stored(tmp_path, "a,b\n1,2\n3,4\n5,6\n"), CSV, rows=2)
    assert shown.header == ("a", "b")
    assert shown.rows == ((1, 2, ["1", "2"]), (2, 3, ["3", "4"]))
    assert not shown.whole


def test_a_preview_of_a_short_file_is_whole(tmp_path: Path) -> None:
    assert preview(stored(tmp_path, "a,b\n1,2\n"), CSV, rows=1).whole


def test_a_preview_shows_what_it_can_and_says_what_it_cannot(tmp_path: Path) -> None:
    shown = preview(stored(tmp_path, 'a,b\n1,2\n3,"x'), CSV)
    assert shown.rows == ((1, 2, ["1", "2"]),)
    assert shown.fault is not None
    assert shown.fault.line == 3


def test_a_preview_shows_the_header_that_is_refused(tmp_path: Path) -> None:
    shown = preview(stored(tmp_path, "a,a\n1,2\n"), CSV)
    assert shown.header == ("a", "a")
    assert "Double headers" in str(shown.fault)


def test_of_a_large_file_only_the_head_is_read(tmp_path: Path) -> None:
    path = stored(tmp_path, b"a,b\n" + b"1,2\n" * 200_000)
    with path.open("r+b") as stream:
        stream.truncate(1_000_000_000)
    before = bytes_read()
    found = find_format(path, name="x.csv")
    shown = preview(path, found.format)
    assert len(shown.rows) == 50
    assert bytes_read() - before < 2 * HEAD


def bytes_read() -> int:
    facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(facts["rchar"])


def test_an_error_of_reading_is_one_of_input() -> None:
    assert issubclass(TableError, InvalidError)


texts = st.text(alphabet=st.one_of(st.sampled_from("\r\n\v\f\x85\u2028a"), st.characters()))


@given(
    texts.filter(lambda text: "\0" not in text),
    st.integers(1, 7),
    st.sampled_from(["utf-8", "utf-16-le", "gb18030"]),
)
def test_lines_are_the_same_in_blocks_of_any_size(text: str, block: int, encoding: str) -> None:
    text = text.encode("utf-8", "replace").decode().lstrip("\ufeff")
    stream = io.BytesIO(text.encode(encoding))
    lines = list(Lines(stream, encoding, limits=LIMITS, block=block))
    assert lines == list(io.StringIO(text, newline="")) == list(split_lines(text))


@pytest.mark.parametrize("content", ["\ufeff\ufeffid,b\n", '"\ufeffid",b\n', '\ufeff"id",b\n'])
def test_byte_order_marks_are_no_part_of_the_first_name(tmp_path: Path, content: str) -> None:
    assert read(stored(tmp_path, content), CSV)[0] == ["id", "b"]


@pytest.mark.parametrize("name", ["link.csv", "link.xlsx"])
def test_a_link_is_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("name\nanna\n")
    (tmp_path / name).symlink_to(tmp_path / "secret")
    fmt = Format(kind="csv" if name.endswith("csv") else "xlsx")
    with pytest.raises(TableError, match="is a link"), open_table(tmp_path / name, fmt):
        pass
    shown = preview(tmp_path / name, fmt, rows=5)
    assert (shown.header, shown.rows) == ((), ())
    assert shown.fault is not None
    assert "is a link" in str(shown.fault)


def test_the_format_of_a_link_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("name\nanna\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(TableError, match="is a link"):
        find_format(tmp_path / "link.csv", name="link.csv")


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(TableError, match="no file"):
        find_format(tmp_path / "pipe.csv", name="pipe.csv")
