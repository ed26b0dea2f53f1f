"""Rows of a table as records: found, created, changed and removed, values kept exactly."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from portal.db import open_sessions
from portal.rows.processors import Acting, Processor, RefusedRowError
from portal.runtime import Runtime
from portal.tables.lookups import GoneError
from tests.tables.conftest import OFFICES, RECORDS, Execute, Rows

Find = Callable[[str], Processor]
ActingFor = Callable[..., Acting]


@pytest.fixture
def records(execute: Execute, processor: Find) -> Processor:
    execute(OFFICES, RECORDS, "INSERT INTO office (code, name) VALUES ('N', 'North')")
    return processor("record")


@pytest.fixture
def do(runtime: Runtime, acting: ActingFor) -> Callable[..., Any]:
    """`do(function, …)` in a transaction that commits."""

    def run(function: Callable[..., Any], *arguments: Any) -> Any:
        with open_sessions(runtime.tables).begin() as session:
            return function(session, *arguments, acting=acting())

    return run


Do = Callable[..., Any]
FULL = {
    "number": "R-1",
    "office_id": "N",
    "fee": Decimal("1234567.10"),
    "copies": 3,
    "paid": True,
    "received": date(2026, 2, 28),
    "entered": datetime(2026, 11, 21, 14, 3, 5, 120000),
    "state": "closed",
}


def test_every_value_comes_back_as_it_was_given(records: Processor, do: Do) -> None:
    created = do(records.records.create, FULL)
    found = do(records.records.find, {"number": "R-1"})
    assert found == created
    assert {name: found.values[name] for name in FULL} == FULL
    assert str(found.values["fee"]) == "1234567.10"


def test_columns_that_are_not_given_get_their_defaults(records: Processor, do: Do) -> None:
    created = do(records.records.create, {"number": "R-2"})
    assert created.values == do(records.records.find, {"number": "R-2"}).values
    assert created.values["copies"] == 1
    assert created.values["state"] == "open"
    assert created.values["fee"] is None


def test_thousands_are_created_and_found_in_order(records: Processor, do: Do) -> None:
    rows = [{"number": f"R-{n}", "copies": n, "office_id": "N"} for n in range(3000)]
    created = do(records.records.create_many, rows)
    asked = [{"number": f"R-{n}"} for n in (2999, 5, -1, 0)]
    found = do(records.records.find_many, asked)
    assert [record and record.values["copies"] for record in found] == [2999, 5, None, 0]
    assert [record.key for record in created[:2]] == ["1", "2"]
    assert found[3] == created[0]


def test_rows_with_different_columns_are_created_together(records: Processor, do: Do) -> None:
    rows = [{"number": "a", "copies": 2}, {"number": "b"}, {"copies": 4, "number": "c"}]
    created = do(records.records.create_many, rows)
    assert [record.values["copies"] for record in created] == [2, 1, 4]
    assert [record.values["number"] for record in created] == ["a", "b", "c"]


def test_a_reference_is_kept_as_the_key_and_told_as_the_word(
    records: Processor, do: Do, rows_of: Rows
) -> None:
    do(records.records.create, {"number": "R-1", "office_id": "N"})
    assert rows_of("SELECT office_id FROM record") == [(1,)]
    assert do(records.records.find, {"number": "R-1"}).values["office_id"] == "N"


def test_a_reference_to_nothing_is_refused_at_its_column(records: Processor, do: Do) -> None:
    with pytest.raises(RefusedRowError, match="no row of 'office' whose code is 'X'") as refused:
        do(records.records.create, {"number": "R-1", "office_id": "X"})
    assert refused.value.field == "office_id"


def test_only_what_is_given_changes(records: Processor, do: Do) -> None:
    do(records.records.create, FULL)
    record = do(records.records.find, {"number": "R-1"})
    changed = do(records.records.update, record, {"fee": Decimal("0.05"), "paid": None})
    found = do(records.records.find, {"number": "R-1"})
    assert found == changed
    assert found.values == record.values | {"fee": Decimal("0.05"), "paid": None}


def test_thousands_are_changed_at_once(records: Processor, do: Do, rows_of: Rows) -> None:
    rows = [{"number": f"R-{n}", "copies": n} for n in range(2500)]
    created = do(records.records.create_many, rows)
    pairs = [(record, {"copies": record.values["copies"] + 1}) for record in created]
    do(records.records.update_many, pairs)
    assert rows_of("SELECT min(copies), max(copies) FROM record") == [(1, 2500)]


def test_of_two_changes_to_one_record_the_later_one_stays(
    records: Processor, do: Do, rows_of: Rows
) -> None:
    record = do(records.records.create, {"number": "R-1"})
    pairs = [(record, {"copies": 5}), (record, {"copies": 6}), (record, {"copies": 1})]
    do(records.records.update_many, pairs)
    assert rows_of("SELECT copies FROM record") == [(1,)]


def test_removed_rows_are_gone(records: Processor, do: Do, rows_of: Rows) -> None:
    created = do(records.records.create_many, [{"number": str(n)} for n in range(5)])
    do(records.records.remove_many, created[1:4])
    assert rows_of("SELECT number FROM record ORDER BY number") == [("0",), ("4",)]


def test_a_removed_row_can_be_created_again_with_its_number(
    records: Processor, do: Do, rows_of: Rows
) -> None:
    do(records.records.create_many, [{"number": str(n)} for n in range(3)])
    record = do(records.records.find, {"number": "1"})
    do(records.records.remove, record)
    again = do(records.records.create, record.values)
    assert again == record
    assert rows_of("SELECT id, number FROM record ORDER BY id") == [(1, "0"), (2, "1"), (3, "2")]


def test_numbers_that_a_file_brings_are_not_given_again(records: Processor, do: Do) -> None:
    do(records.records.create, {"id": 50, "number": "a"})
    assert do(records.records.create, {"number": "b"}).key == "51"


def test_changing_what_somebody_else_removed_is_refused(records: Processor, do: Do) -> None:
    record = do(records.records.create, {"number": "R-1"})
    do(records.records.remove, record)
    with pytest.raises(GoneError):
        do(records.records.update, record, {"copies": 2})
    with pytest.raises(GoneError):
        do(records.records.remove, record)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"number": "R-1"}, "number", "a row with the same number already"),
        ({"number": "R-2", "copies": None}, "copies", "copies must not be empty"),
        ({"number": "R-2", "state": "lost"}, "", "rule"),
    ],
)
def test_what_the_database_refuses_is_told_in_words(
    records: Processor, do: Do, values: dict[str, Any], field: str, words: str
) -> None:
    do(records.records.create, {"number": "R-1"})
    with pytest.raises(RefusedRowError, match=words) as refused:
        do(records.records.create, values)
    assert refused.value.field == field


def test_a_refusal_among_many_is_the_databases_own(records: Processor, do: Do) -> None:
    with pytest.raises(DBAPIError):
        do(records.records.create_many, [{"number": "a"}, {"number": "a"}])


@pytest.mark.parametrize(
    "text", ["a\tb", "a\nb\r", "\\N", "\\", "", " ", "NULL", "'", '"', "ünï ☃ 𝄞", "{a,b}", "%s %%"]
)
def test_text_is_kept_to_the_character(
    execute: Execute, processor: Find, do: Do, text: str
) -> None:
    execute("CREATE TABLE note (id integer PRIMARY KEY, body text)")
    notes = processor("note").records
    do(notes.create_many, [{"id": 1, "body": text}, {"id": 2, "body": None}])
    assert do(notes.find, {"id": 1}).values["body"] == text
    assert do(notes.find, {"id": 2}).values["body"] is None
    record = do(notes.find, {"id": 2})
    assert do(notes.update, record, {"body": text}).values["body"] == text
    assert do(notes.find, {"id": 2}).values["body"] == text


def test_names_may_have_any_characters(execute: Execute, processor: Find, do: Do) -> None:
    name = 'o\'ffice "%s" ☃ select ' + "x" * 40
    quoted = '"' + name[:60].replace('"', '""') + '"'
    execute(
        f'CREATE TABLE {quoted} ("100% (a)" integer, "b;--" varchar(9), "group" date, "%s" integer,'
        ' PRIMARY KEY ("100% (a)", "b;--"))'
    )
    records = processor(name[:60]).records
    row = {"100% (a)": 1, "b;--": "x", "group": date(2026, 1, 2), "%s": 5}
    assert do(records.create_many, [row])[0].values == row
    found = do(records.find, {"100% (a)": 1, "b;--": "x"})
    assert found.values == row
    changed = do(records.update, found, {"%s": 7, "b;--": "y"})
    assert do(records.find, {"100% (a)": 1, "b;--": "y"}) == changed
    do(records.remove, changed)
    assert do(records.find, {"100% (a)": 1, "b;--": "y"}) is None


def test_what_only_the_database_can_make_up_is_read_back(
    execute: Execute, processor: Find, do: Do, runtime: Runtime
) -> None:
    default = "(abs(-7))" if runtime.tables.dialect.name == "sqlite" else "abs(-7)"
    execute(f"CREATE TABLE t (a integer PRIMARY KEY, b integer DEFAULT {default})")
    created = do(processor("t").records.create_many, [{"a": 1}, {"a": 2}])
    assert [record.values["b"] for record in created] == [7, 7]
