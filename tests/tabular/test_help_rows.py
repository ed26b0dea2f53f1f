"""The row of a template that says what each column takes, and no row of data."""

import pytest

from portal.tabular.fields import Choice, Field, FieldType
from portal.tabular.help_rows import describe, help_row, is_help_row

MANY = tuple(Choice(value=str(number)) for number in range(60))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ""),
        ({"max_length": 5}, "At most 5 characters"),
        ({"unique": True}, "Unique"),
        ({"default": "x"}, "Has Default Value"),
        ({"required": True, "type": FieldType.DECIMAL}, "Required; Decimal"),
        ({"required": True, "default": "x"}, "Required (Has Default)"),
        (
            {"primary": True, "unique": True, "type": FieldType.INTEGER},
            "Primary Key; Required (Has Default); Integer",
        ),
        ({"primary": True, "required": True}, "Primary Key; Required"),
        ({"type": FieldType.BOOLEAN}, "One of: true, false"),
        ({"type": FieldType.DATE}, "Date (YYYY-MM-DD)"),
        ({"type": FieldType.DATETIME}, "Date & Time (YYYY-MM-DD HH:MM:SS)"),
        ({"type": FieldType.CHOICE, "choices": MANY[:3]}, "One of: 0, 1, 2"),
        (
            {"type": FieldType.REFERENCE, "refers_to": "trunk"},
            "An Identifier from the trunk table",
        ),
        ({"type": FieldType.REFERENCE}, "Identifier"),
    ],
)
def test_a_column_is_described_in_the_words_of_the_tool_before(facts, words: str) -> None:
    assert describe(Field(name="f", **facts)) == words


def test_a_long_list_of_choices_is_cut() -> None:
    words = describe(Field(name="f", type=FieldType.CHOICE, choices=MANY))
    assert words.endswith("48, 49 and 10 more")


FIELDS = (
    Field(name="code", type=FieldType.INTEGER, primary=True),
    Field(name="note"),
    Field(name="day", type=FieldType.DATE),
    Field(name="last"),
)
CODE, _, DAY, _ = help_row(FIELDS)


@pytest.mark.parametrize(
    ("cells", "fields"),
    [
        ([CODE, "", DAY, ""], FIELDS),
        ([f" {CODE} ", "", DAY], FIELDS),
        ([DAY, CODE], [FIELDS[2], FIELDS[0]]),
        ([CODE, "whatever"], [FIELDS[0], None]),
    ],
)
def test_a_help_row_is_known_in_any_order_of_columns(cells, fields) -> None:
    assert is_help_row(cells, fields)


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "", "2024-02-29", ""],
        [CODE, "my note", DAY, ""],
        [CODE, "", "", ""],
        [CODE],
        ["", "", "", ""],
        [],
        [CODE, "", DAY, "", ""],
        [CODE.lower(), "", DAY, ""],
    ],
)
def test_other_rows_are_data(cells: list[str]) -> None:
    assert not is_help_row(cells, FIELDS)


def test_a_row_of_texts_of_any_kind_is_never_a_help_row() -> None:
    assert not is_help_row(["", ""], [Field(name="a"), Field(name="b")])
