from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tabular.formats import Format
from portal.tabular.reading import count, open_table
from portal.tabular.table import Limits, TableError

TEXTS = st.text(alphabet='ab,;"\\\n\r \x0b', max_size=60)
FORMATS = st.builds(
    Format,
    delimiter=st.sampled_from((",", ";")),
    quote=st.sampled_from(('"', "", "a")),
    doubled=st.booleans(),
)
SHORT = Limits(cell=8, row=40)


def counted(path: Path, fmt: Format, limits: Limits) -> int | str:
    """The last number told, or the error."""
    try:
        return (deque(count(path, fmt, limits=limits), maxlen=1) or [0])[0]
    except TableError as error:
        return str(error)


def read(path: Path, fmt: Format, limits: Limits) -> int | str:
    """How many rows there are, or the error."""
    try:
        with open_table(path, fmt, limits=limits) as table:
            return sum(1 for _ in table.rows)
    except TableError as error:
        return str(error)


@given(text=TEXTS, fmt=FORMATS, limits=st.sampled_from((Limits(), SHORT)))
def test_as_many_rows_are_counted_as_are_read(
    text: str, fmt: Format, limits: Limits, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "counted.csv"
    path.write_bytes(f"id\n{text}".encode())
    assert counted(path, fmt, limits) == read(path, fmt, limits)


def test_quoted_line_ends_are_no_ends_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "quoted.csv"
    path.write_text('id,note\n1,"one\ntwo\n"\n2,plain\n\n3,"""\n"""\n', newline="")
    assert counted(path, Format(), Limits()) == 4


def test_blank_lines_above_the_header_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "blank.csv"
    path.write_text("\n \nid\n1\n", newline="")
    assert counted(path, Format(), Limits()) == 1
