"""Texts of cells put right by the rules of their column."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidError
from portal.tabular.cells import CellError
from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.fields import Empty, Field, FieldType
from portal.tabular.number_formats import NumberFormat
from portal.tabular.rules import Case, Others, Rules
from portal.tabular.transforms import Transform, transform_for

GERMAN = NumberFormat(decimal=",", thousands=".")


def become(text: str, **rules) -> str:
    return Transform(Rules(**rules)).one(text)


def refusal(text: str, **rules) -> str:
    with pytest.raises(CellError) as caught:
        become(text, **rules)
    return caught.value.message


def test_columns_without_rules_have_no_transform() -> None:
    assert transform_for(None) is None
    assert transform_for(Rules()) is None


@pytest.mark.parametrize(
    ("case", "text", "expected"),
    [
        (Case.UPPER, " größe ", "GRÖSSE"),
        (Case.LOWER, "ÀB", "àb"),
        (Case.TITLE, "anna o'neil, anna's jean-luc", "Anna O'Neil, Anna's Jean-Luc"),
    ],
)
def test_case_changes_letters(case: Case, text: str, expected: str) -> None:
    assert become(text, case=case) == expected


def test_case_leaves_markers_and_makes_none() -> None:
    assert become(" XXX ", case=Case.LOWER) == "XXX"
    assert become("<IGNORE>", case=Case.LOWER) == "<IGNORE>"
    assert refusal("xxx", case=Case.UPPER) == "'xxx' would become XXX, which is no value"


@pytest.mark.parametrize(
    ("picture", "text", "expected"),
    [
        ("DD.MM.YYYY", "29.02.2024", "2024-02-29"),
        ("DD.MM.YYYY", " 29.02.2024# ", "2024-02-29"),
        ("MM/DD/YY", "12/31/68", "2068-12-31"),
        ("MM/DD/YY", "12/31/69", "1969-12-31"),
        ("D.M.YYYY", "1.2.2024", "2024-02-01"),
        ("D.M.YYYY", "11.12.2024", "2024-12-11"),
        ("YYYYMMDD", "20240229", "2024-02-29"),
        ("YYYY-DD-MM", "2024-01-02", "2024-02-01"),
        ("DD.MM.YYYY HH:mm", "01.02.2024 13:30", "2024-02-01 13:30:00"),
        ("YYYY-MM-DDTHH:mm:ss", "2024-02-01T13:30:59", "2024-02-01 13:30:59"),
        ("DD.MM.YYYY", "2024-02-01", "2024-02-01"),
        ("DD.MM.YYYY", "2024-02-01 00:00:00", "2024-02-01 00:00:00"),
    ],
)
def test_dates_are_read_by_their_picture(picture: str, text: str, expected: str) -> None:
    assert become(text, date=picture) == expected


@pytest.mark.parametrize(
    "text", ["31.02.2024", "1.2.2024", "01/02/2024", "01.02.24", "soon", "01.02.2024 10:00"]
)
def test_other_texts_are_no_dates(text: str) -> None:
    assert refusal(text, date="DD.MM.YYYY") == f"'{text}' is no date as DD.MM.YYYY"


@pytest.mark.parametrize(
    "picture",
    [
        "dd.mm.yyyy",
        "DD.MM",
        "DDMMYYYY?",
        "DMYYYY",
        "DD.DD.YYYY",
        "HH:mm",
        "DD.MM.YYYY mm",
        "D" * 99,
    ],
)
def test_pictures_that_leave_a_doubt_are_refused(picture: str) -> None:
    with pytest.raises(InvalidError, match="is no picture of a date: write the day as DD"):
        Rules(date=picture)


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "expected"),
    [
        (",", ".", "1.234.567,89", "1234567.89"),
        (",", ".", "-1234,5", "-1234.5"),
        (",", "", "12,50", "12.50"),
        (".", ",", "1,234.50", "1234.50"),
        (",", " ", "1\u00a0234\u202f567,5", "1234567.5"),
        (".", "'", "1\u2019234'567", "1234567"),
        (",", ".", ",5", ".5"),
        (",", ".", "7", "7"),
    ],
)
def test_numbers_are_read_by_their_signs(decimal, thousands, text, expected) -> None:
    assert become(text, number=NumberFormat(decimal=decimal, thousands=thousands)) == expected


@pytest.mark.parametrize("text", ["1.23", "1.2345,0", "1,234,5", ".5", "12 €", "1.234.56", "--1"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert refusal(text, number=GERMAN) == (
        f"'{text}' is no number with a comma before decimals and a point between thousands"
    )


def test_a_long_text_is_not_told_whole() -> None:
    assert len(refusal("9" * 500 + "x", number=GERMAN)) < 150


@pytest.mark.parametrize("signs", [(".", "."), (";", ""), (",", "_")])
def test_signs_of_numbers_must_differ_and_be_known(signs) -> None:
    with pytest.raises(InvalidError, match="a point or a comma before decimals"):
        NumberFormat(decimal=signs[0], thousands=signs[1])


def test_a_value_map_is_the_last_word_on_the_texts_it_names() -> None:
    rules = {"values": {"n/a": "", "": "unknown", "yes": "ja"}, "case": Case.UPPER}
    assert [become(text, **rules) for text in (" n/a ", "", "yes", "no")] == [
        "",
        "unknown",
        "ja",
        "NO",
    ]


def test_a_value_map_may_refuse_all_other_texts_but_empty_ones() -> None:
    rules = {"values": {"m": "male"}, "others": Others.REFUSE}
    assert become("m", **rules) == "male"
    assert become("", **rules) == ""
    assert refusal("x", **rules) == "'x' is none of the values that the mapping names"


CELLS = st.lists(
    st.sampled_from(["", " ", "XXX", "xxx", "a", " b ", "n/a", "1.234,5", "1.2", "31.12.2024"])
    | st.text(max_size=6),
    max_size=8,
)
RULES = st.builds(
    Rules,
    trim=st.booleans(),
    case=st.none() | st.sampled_from(list(Case)),
    date=st.sampled_from(["", "DD.MM.YYYY"]),
    number=st.none() | st.just(GERMAN),
    values=st.sampled_from([{}, {"n/a": ""}, {"a": "1", "": "XXX"}]),
    others=st.sampled_from(list(Others)),
)


@given(cells=CELLS, rules=RULES)
def test_many_cells_become_what_each_becomes_alone(cells: list[str], rules: Rules) -> None:
    transform = Transform(rules)
    texts, errors = transform.many(cells)
    assert len(texts) == len(cells)
    told = {place: error.message for place, error in errors.items()}
    alone = [outcome_of(transform, cell) for cell in cells]
    assert [told.get(place, text) for place, text in enumerate(texts)] == alone


def outcome_of(transform: Transform, cell: str) -> str:
    try:
        return transform.one(cell)
    except CellError as error:
        return error.message


DAY = Field(name="day", type=FieldType.DATE)
SUM = Field(name="sum", type=FieldType.DECIMAL, required=True)
NAME = Field(name="name")
FIELDS = (DAY, SUM, NAME)


def conversion(columns=("day", "sum", "name"), **more) -> Conversion:
    return Conversion(FIELDS, columns, creating=True, **more)


def test_a_conversion_obeys_the_rules_of_its_columns() -> None:
    rules = {"day": Rules(date="DD.MM.YYYY"), "sum": Rules(number=GERMAN)}
    made = conversion(rules=rules)
    expected = {"day": date(2024, 12, 31), "sum": Decimal("1234.5"), "name": "n"}
    row = ["31.12.2024", "1.234,5", " n "]
    assert made.convert(row) == expected
    assert made.convert_many([row] * 3) == [expected] * 3


def test_errors_of_rules_stand_beside_those_of_values_at_their_rows() -> None:
    rules = {"day": Rules(date="DD.MM.YYYY"), "name": Rules(case=Case.UPPER)}
    rows = [
        ["01.02.2024", "1", "a"],
        ["31.02.2024", "x", "b"],
        ["", "2", ""],
        ["02.02.2024", "3", "xxx"],
    ]
    good, bad, empty, last = conversion(rules=rules).convert_many(rows)
    assert good == {"day": date(2024, 2, 1), "sum": Decimal(1), "name": "A"}
    assert isinstance(bad, RowErrors)
    assert bad.errors["day"] == ["'31.02.2024' is no date as DD.MM.YYYY"]
    assert list(bad.errors) == ["day", "sum"]
    assert empty == {"sum": Decimal(2)}
    assert isinstance(last, RowErrors)
    assert list(last.errors) == ["name"]


def test_what_a_value_map_gives_may_be_a_marker() -> None:
    fields = [Field(name="name", empty=Empty.CLEAR), SUM]
    rules = {"name": Rules(values={"n/a": ""})}
    made = Conversion(fields, ["name", "sum"], creating=True, rules=rules)
    assert made.convert(["n/a", "1"]) == {"name": None, "sum": Decimal(1)}


def test_texts_that_are_not_trimmed_keep_their_blanks_and_numbers_do_not() -> None:
    rules = {name: Rules(trim=False) for name in ("day", "sum", "name")}
    made = conversion(rules=rules)
    row, expected = ["", " 1 ", " n "], {"sum": Decimal(1), "name": " n "}
    assert made.convert(row) == expected
    assert made.convert_many([row]) == [expected]


def test_a_moment_is_read_by_a_picture_with_a_clock() -> None:
    field = Field(name="at", type=FieldType.DATETIME)
    rules = {"at": Rules(date="DD.MM.YYYY HH:mm")}
    made = Conversion([field], ["at"], creating=True, rules=rules)
    (row,) = made.convert_many([["31.12.2024 23:59"]])
    assert row == {"at": datetime(2024, 12, 31, 23, 59)}


def test_a_constant_is_the_value_of_its_field_in_every_row() -> None:
    made = conversion(["name", None], constants={"sum": "12.5", "day": "2024-01-02"})
    expected = {"name": "a", "sum": Decimal("12.5"), "day": date(2024, 1, 2)}
    assert made.convert(["a", ""]) == expected
    assert made.convert_many([["a", ""], ["a", "-"]]) == [expected, expected]


def test_constants_alone_make_a_row_each_its_own() -> None:
    first, second = conversion([None], constants={"sum": "1"}).convert_many([["a"], ["b"]])
    assert first == second == {"sum": Decimal(1)}
    assert first is not second


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "The value for all rows of 'sum': Invalid decimal data"),
        ("XXX", "The value for all rows of 'sum': RequiredMissing"),
        ("", "The value for all rows of 'sum': RequiredMissing"),
    ],
)
def test_a_constant_must_be_a_value_of_its_field(text: str, words: str) -> None:
    with pytest.raises(InvalidError) as caught:
        conversion(["name"], constants={"sum": text})
    assert words in str(caught.value)


def test_an_empty_constant_is_none() -> None:
    with pytest.raises(InvalidError, match="Give a value for all rows of 'day'"):
        conversion(["sum"], constants={"day": " "})


def test_a_field_has_a_column_or_a_constant_but_not_both() -> None:
    with pytest.raises(ValueError, match="twice"):
        conversion(["sum"], constants={"sum": "1"})
