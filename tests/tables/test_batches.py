"""Whole files into tables: every row has a fate, every change can be taken back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.accounts.permissions import Role
from portal.rows.processors import Mode
from portal.runtime import Runtime
from tests.projects.people import People
from tests.tables.batches import FailedError, TableBatches
from tests.tables.conftest import OFFICES, RECORDS, Execute, Rows

ALL = "SELECT number, office_id, copies, state FROM record ORDER BY number"


@pytest.fixture
def batches(runtime: Runtime, tmp_path: Path, execute: Execute) -> TableBatches:
    execute(OFFICES, RECORDS, "INSERT INTO office (code, name) VALUES ('N', 'North')")
    return TableBatches(runtime, tmp_path)


def row(number: int, **values: str) -> dict[str, str]:
    return {"number": f"R-{number}", "office_id": "N", "copies": str(number), "state": ""} | values


def test_good_rows_are_created_and_each_bad_one_is_told(
    batches: TableBatches, rows_of: Rows
) -> None:
    rows = [row(n) for n in range(1, 41)]
    rows[4] = row(5, copies="five")
    rows[9] = row(10, office_id="X")
    rows[14] = row(15, state="lost")
    rows[19] = row(1)
    rows[24] = row(25) | {"number": "R" * 21}
    batch = batches.run("record", rows)
    assert (batch.counts.created, batch.counts.failed) == (35, 5)
    errors = batches.errors(batch)
    assert {number: list(told) for number, told in errors.items()} == {
        5: ["copies"],
        10: ["office_id"],
        15: ["state"],
        20: list(errors[20]),
        25: ["number"],
    }
    assert "whose code is 'X'" in errors[10]["office_id"][0]
    assert len(rows_of(ALL)) == 35


def test_only_rows_that_differ_are_changed(batches: TableBatches, rows_of: Rows) -> None:
    batches.run("record", [row(n) for n in range(1, 21)])
    changes = [row(n, copies=str(n + n % 2)) for n in range(1, 22)]
    batch = batches.run("record", changes, mode=Mode.UPDATE)
    counts = batch.counts
    assert (counts.updated, counts.unchanged, counts.failed) == (10, 10, 1)
    assert rows_of("SELECT sum(copies) FROM record") == [(sum(range(1, 21)) + 10,)]


def test_an_empty_cell_leaves_the_value_alone(batches: TableBatches, rows_of: Rows) -> None:
    batches.run("record", [row(1, state="closed")])
    batches.run("record", [row(1, copies="7")], mode=Mode.UPDATE)
    assert rows_of(ALL) == [("R-1", 1, 7, "closed")]


def test_removed_rows_come_back_with_the_undo(batches: TableBatches, rows_of: Rows) -> None:
    batches.run("record", [row(n) for n in range(1, 31)])
    before = rows_of("SELECT * FROM record ORDER BY id")
    batch = batches.run("record", [{"number": f"R-{n}"} for n in range(5, 20)], mode=Mode.REMOVE)
    assert batch.counts.removed == 15
    undone = batches.undo(batch)
    assert (undone.undone, undone.kept) == (15, 0)
    assert rows_of("SELECT * FROM record ORDER BY id") == before


def test_changed_rows_get_their_values_back(batches: TableBatches, rows_of: Rows) -> None:
    batches.run("record", [row(n) for n in range(1, 31)])
    before = rows_of("SELECT * FROM record ORDER BY id")
    batch = batches.run("record", [row(n, copies="0") for n in range(1, 31)], mode=Mode.UPDATE)
    assert rows_of("SELECT max(copies) FROM record") == [(0,)]
    batches.undo(batch)
    assert rows_of("SELECT * FROM record ORDER BY id") == before


def test_created_rows_go_and_those_edited_since_stay(
    batches: TableBatches, rows_of: Rows, execute: Execute
) -> None:
    batch = batches.run("record", [row(n) for n in range(1, 31)])
    execute("UPDATE record SET copies = 99 WHERE number IN ('R-3', 'R-7')")
    undone = batches.undo(batch)
    assert (undone.undone, undone.kept) == (28, 2)
    assert rows_of("SELECT number FROM record ORDER BY number") == [("R-3",), ("R-7",)]


@pytest.mark.parametrize("mode", Mode)
def test_a_dry_run_writes_nothing_and_moves_no_number(
    batches: TableBatches, rows_of: Rows, mode: Mode
) -> None:
    batches.run("record", [row(n) for n in range(1, 6)])
    before = rows_of("SELECT * FROM record ORDER BY id")
    planned = batches.run(
        "record", [row(n, copies="9") for n in range(3, 9)], mode=mode, dry_run=True
    )
    assert planned.counts.processed == 6
    assert rows_of("SELECT * FROM record ORDER BY id") == before
    batches.run("record", [row(50)])
    assert rows_of("SELECT id FROM record WHERE number = 'R-50'") == [(6,)]


def test_a_dry_run_tells_what_the_table_would_refuse(batches: TableBatches) -> None:
    batches.run("record", [row(1)])
    rows = [row(2), row(3, office_id="X"), row(4) | {"number": "R-1"}]
    planned = batches.run("record", rows, dry_run=True)
    assert (planned.counts.created, planned.counts.failed) == (1, 2)
    assert "whose code is 'X'" in batches.errors(planned)[2]["office_id"][0]


def test_a_batch_is_refused_to_whom_the_table_is_not_granted(
    batches: TableBatches, people: People, grant: Callable[..., None], rows_of: Rows
) -> None:
    grant("record")
    manager = people.make("manager", Role.IMPORT_MANAGER)
    with pytest.raises(FailedError, match="You may not create rows of the table 'record'"):
        batches.run("record", [row(n) for n in range(1, 4)], actor=manager)
    assert rows_of(ALL) == []
