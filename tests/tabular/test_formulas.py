"""What a spreadsheet would compute is marked, and comes back exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tabular.formulas import STARTS, mark, may_be_marked, restore

signs = st.text(alphabet=st.sampled_from("'=+-@\t\r\n\0＝a1 ,.%e"), max_size=8)


@pytest.mark.parametrize("start", STARTS)
def test_a_cell_that_begins_so_is_marked(start: str) -> None:
    assert mark(f"{start}SUM(A1)") == f"'{start}SUM(A1)"


@pytest.mark.parametrize(
    "cell",
    ["-5", "-0", "-1.25", "-1,5", "-1,234.50", "-1e-3", "-3%", "-3 %", "-", "--", "--ERRORS--"],
)
def test_plain_negative_numbers_and_dashes_are_left_alone(cell: str) -> None:
    assert mark(cell) == cell


@pytest.mark.parametrize(
    "cell", ["+5", "+49 30 1234567", "-2+3", "-1-1", "-A1", "--5", "-5 m", "-٣"]
)
def test_what_only_looks_like_a_number_is_marked(cell: str) -> None:
    assert mark(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "a", "1", "'t Hart", "'", "''", "a=b", " =1", "1-2", "x@y.org"]
)
def test_other_cells_are_left_alone(cell: str) -> None:
    assert mark(cell) == cell == restore(cell)


def test_a_cell_that_looks_marked_is_marked_once_more() -> None:
    assert mark("'=1") == "''=1"
    assert restore("''=1") == "'=1"


@given(st.one_of(signs, st.text(max_size=30)))
def test_every_cell_comes_back(cell: str) -> None:
    assert restore(mark(cell)) == cell


@given(st.one_of(signs, st.text(max_size=30)))
def test_no_marked_cell_begins_as_a_formula(cell: str) -> None:
    assert mark(cell)[:1] not in STARTS or mark(cell) == cell


@given(signs, signs, signs)
def test_a_text_that_holds_a_marked_cell_may_be_marked(before: str, cell: str, after: str) -> None:
    assert mark(cell) == cell or may_be_marked(before + mark(cell) + after)
