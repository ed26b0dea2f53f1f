"""Cells that say something else than a value."""

import pytest

from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.fields import Empty, Field, FieldType
from portal.tabular.markers import is_no_field

REQUIRED = ["RequiredMissing: this cannot be left empty"]


def answer(cell: str, *, creating: bool = False, **facts: object) -> object:
    """The values of a row of one cell, or the texts of its errors."""
    conversion = Conversion([Field(name="f", **facts)], ["f"], creating=creating)
    try:
        return conversion.convert([cell])
    except RowErrors as refused:
        return refused.errors["f"]


@pytest.mark.parametrize("kind", list(FieldType))
def test_ignore_leaves_any_value_alone(kind: FieldType) -> None:
    assert answer("<IGNORE>", type=kind) == {}


@pytest.mark.parametrize("kind", list(FieldType))
def test_three_x_clear_any_value(kind: FieldType) -> None:
    assert answer("XXX", type=kind) == {"f": None}


def test_three_x_put_the_default_where_the_value_is_required() -> None:
    assert answer("XXX", required=True, default="new") == {"f": "new"}


def test_three_x_clear_a_value_that_has_a_default_and_is_not_required() -> None:
    assert answer("XXX", default="new") == {"f": None}


def test_a_required_value_cannot_be_cleared() -> None:
    assert answer("XXX", required=True) == REQUIRED


@pytest.mark.parametrize("cell", ["", "  ", "[]", " [] "])
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {}),
        ({"empty": Empty.KEEP, "default": "d"}, {}),
        ({"empty": Empty.CLEAR}, {"f": None}),
        ({"empty": Empty.CLEAR, "required": True}, REQUIRED),
        ({"empty": Empty.CLEAR, "required": True, "default": "d"}, {"f": "d"}),
        ({"empty": Empty.DEFAULT, "default": "d"}, {"f": "d"}),
        ({"empty": Empty.DEFAULT}, {"f": None}),
        ({"empty": Empty.DEFAULT, "required": True}, REQUIRED),
    ],
)
def test_an_empty_cell_means_what_its_field_says(cell: str, facts, expected) -> None:
    assert answer(cell, **facts) == expected


def test_a_default_that_is_no_truth_is_still_a_default() -> None:
    assert answer("XXX", type=FieldType.BOOLEAN, required=True, default=False) == {"f": False}


@pytest.mark.parametrize("cell", ["xxx", "XX", "XXXX", "<ignore>", "IGNORE", "[x]"])
def test_markers_are_exact(cell: str) -> None:
    assert answer(cell) == {"f": cell}


@pytest.mark.parametrize(
    ("header", "expected"), [("--ERRORS--", True), (" --x", True), ("-x", False)]
)
def test_headers_with_two_strokes_are_no_fields(header: str, expected: bool) -> None:
    assert is_no_field(header) is expected
