"""What the columns of a file must name."""

import pytest

from portal.tabular.fields import Field
from portal.tabular.headers import check, fault_of_import

FIELDS = (
    Field(name="code", required=True),
    Field(name="title", required=True),
    Field(name="state", required=True, default="new"),
    Field(name="help"),
)
DOUBLE = "Double headers: each column name may only appear once."
IDENTITIES = (("code",),)


def test_enough_columns_are_fine() -> None:
    assert check(["code", "title"], FIELDS, IDENTITIES, creating=True) == []
    assert check(["code"], FIELDS, IDENTITIES, creating=False) == []


def test_to_create_identity_and_required_fields_without_default_are_needed() -> None:
    expected = ["Need at least columns 'code', 'title' for import!"]
    assert check(["code", "help"], FIELDS, IDENTITIES, creating=True) == expected
    assert check(["title"], FIELDS, IDENTITIES, creating=True) == expected


def test_an_identity_with_a_default_is_needed_to_create() -> None:
    fields = (Field(name="code", required=True, default="x"), Field(name="title"))
    assert check(["title"], fields, IDENTITIES, creating=True) == [
        "Need at least columns 'code' for import!"
    ]


def test_an_identity_that_the_database_makes_is_not_needed_to_create() -> None:
    fields = (Field(name="code"), Field(name="title", required=True))
    assert check(["title"], fields, IDENTITIES, creating=True) == []


def test_to_update_the_identity_is_needed_and_nothing_else() -> None:
    assert check(["title", "help"], FIELDS, IDENTITIES, creating=False) == [
        "Need at least columns 'code' for import!"
    ]


def test_any_whole_identity_will_do() -> None:
    identities = (("code",), ("title", "state"))
    assert check(["title", "state"], FIELDS, identities, creating=False) == []
    assert check(["title"], FIELDS, identities, creating=False) == [
        "Need at least columns 'code' or 'title', 'state' for import!"
    ]


def test_a_column_may_only_appear_once() -> None:
    columns = ["code", "title", "help", "help"]
    assert check(columns, FIELDS, IDENTITIES, creating=True) == [DOUBLE]


def test_both_faults_are_told() -> None:
    assert len(check(["help", "help"], FIELDS, IDENTITIES, creating=True)) == 2


def test_columns_with_two_strokes_and_ignored_ones_may_appear_often() -> None:
    columns = ["code", "--ERRORS--", "--ERRORS--", None, None, "--IGNORE--", "--IGNORE--"]
    assert check(columns, FIELDS, IDENTITIES, creating=False) == []


def test_a_processor_without_identity_needs_no_column_to_find() -> None:
    assert check([], FIELDS, (), creating=False) == []


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (["code", "title"], ""),
        ([" title", "--ERRORS--", "code "], ""),
        (["code", "x", "code", "b"], "Incoming dataset has duplicate column headers"),
        (["x", "b"], "Incoming dataset describes extra columns: b, x"),
        ([], "Incoming dataset is missing columns: code, title"),
        (["title"], "Incoming dataset is missing columns: code"),
    ],
)
def test_an_import_wants_every_column_once_and_no_other(header, fault: str) -> None:
    assert fault_of_import(header, ["title", "code"]) == fault
