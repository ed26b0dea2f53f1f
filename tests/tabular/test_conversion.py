"""Rows become values, or all their errors."""

import pytest

from portal.tabular.conversion import Conversion, RowErrors, error_line
from portal.tabular.fields import Empty, Field, FieldType

NUMBER = Field(name="number", type=FieldType.INTEGER, required=True)
NAME = Field(name="name", max_length=10)
DAY = Field(name="day", type=FieldType.DATE)
STATE = Field(name="state", required=True, default="new")
FIELDS = (NUMBER, NAME, DAY, STATE)
COLUMNS = ("number", "name", None, "day")


def make_conversion(columns=COLUMNS, *, fields=FIELDS, creating=False, **more) -> Conversion:
    return Conversion(fields, columns, creating=creating, **more)


def errors_of(cells, conversion: Conversion) -> dict[str, list[str]]:
    with pytest.raises(RowErrors) as caught:
        conversion.convert(cells)
    return caught.value.errors


def test_every_column_becomes_its_field() -> None:
    values = make_conversion().convert(["7", " Ann ", "ignored", "2025-12-31"])
    assert {name: str(value) for name, value in values.items()} == {
        "number": "7",
        "name": "Ann",
        "day": "2025-12-31",
    }


def test_all_errors_of_a_row_are_told_in_the_order_of_its_columns() -> None:
    errors = errors_of(["x", "far too long for it", "", "never"], make_conversion())
    assert list(errors) == ["number", "name", "day"]
    assert all(len(texts) == 1 for texts in errors.values())


@pytest.mark.parametrize(
    ("cells", "count"), [([], "0 cells"), (["1"], "1 cell"), (["1"] * 5, "5 cells")]
)
def test_a_ragged_row_is_neither_padded_nor_cut(cells, count: str) -> None:
    assert errors_of(cells, make_conversion()) == {"": [f"Row has {count}, the header has 4."]}


def test_a_row_without_mapped_columns_has_no_values() -> None:
    conversion = make_conversion([None, None])
    assert conversion.convert(["a", "b"]) == {}
    assert conversion.convert_many([["a", "b"], ["c", "d"]]) == [{}, {}]


@pytest.mark.parametrize("columns", [["number", "number"], ["nobody"]])
def test_columns_that_make_no_sense_are_a_fault_of_the_caller(columns) -> None:
    with pytest.raises(ValueError, match="twice, or one that is not there"):
        make_conversion(columns)


def test_many_rows_answer_in_their_order_each_for_itself() -> None:
    rows = [[str(number), "n", "", "2025-01-01"] for number in range(300)]
    rows[70], rows[71], rows[299] = ["x", "n", "", ""], ["short"], ["299", "", "", "<IGNORE>"]
    results = make_conversion().convert_many(rows)
    assert isinstance(results[70], RowErrors)
    assert isinstance(results[71], RowErrors)
    assert results[299] == {"number": 299}
    good = [result for result in results if isinstance(result, dict)]
    assert [values["number"] for values in good] == [n for n in range(300) if n not in (70, 71)]


def test_no_rows_are_no_results() -> None:
    assert make_conversion().convert_many([]) == []


def test_a_column_of_empty_cells_is_left_alone() -> None:
    assert make_conversion(["name"]).convert_many([[""], [" "], ["[]"]]) == [{}, {}, {}]


def test_a_required_value_must_be_given_to_create() -> None:
    for cell in ("", "[]", "<IGNORE>", "XXX"):
        assert errors_of([cell, "n", "", ""], make_conversion(creating=True)) == {
            "number": ["RequiredMissing: this cannot be left empty"]
        }


def test_a_required_value_may_be_left_alone_to_update() -> None:
    assert make_conversion().convert(["", "n", "", ""]) == {"name": "n"}


def test_a_required_value_with_a_default_may_be_left_alone_to_create() -> None:
    assert make_conversion(["state"], creating=True).convert([""]) == {}


def test_the_identity_must_be_given_always() -> None:
    conversion = make_conversion(["name", "day"], identity=("name",))
    for cell in ("", "<IGNORE>", "XXX"):
        assert errors_of([cell, "2025-01-01"], conversion) == {
            "name": ["RequiredMissing: this cannot be left empty"]
        }


@pytest.mark.parametrize("empty", list(Empty))
def test_the_identity_must_be_given_whatever_an_empty_cell_means(empty: Empty) -> None:
    field = Field(name="name", default="d", empty=empty)
    conversion = make_conversion(["name"], fields=[field], identity=("name",))
    assert "name" in errors_of([""], conversion)


def test_the_errors_of_a_row_fit_in_one_line() -> None:
    errors = {"": ["Row is odd."], "a": ["one.", "two"], "b": ["three"]}
    assert error_line(errors) == "Row is odd; a: one / two; b: three"
    assert str(RowErrors(errors)) == error_line(errors)
