"""Rows of a file that change rows of a table or add them, named by the key that was chosen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.accounts.permissions import Actor, Role
from portal.rows.processors import Mode
from portal.rows.treatment import Treatment
from portal.runtime import Runtime
from portal.tables.actions import Action
from portal.tables.processors import TableProcessors
from tests.projects.people import People
from tests.tables.batches import FailedError, TableBatches
from tests.tables.conftest import OFFICES, RECORDS, Execute, Rows

ALL = "SELECT id, number, copies FROM record ORDER BY id"
BY_NUMBER = Treatment(identity=("number",))


@pytest.fixture
def batches(runtime: Runtime, tmp_path: Path, execute: Execute) -> TableBatches:
    execute(OFFICES, RECORDS, "INSERT INTO office (code, name) VALUES ('N', 'North')")
    return TableBatches(runtime, tmp_path)


def row(number: int, **values: str) -> dict[str, str]:
    return {"number": f"R-{number}", "copies": str(number)} | values


def modes_of(runtime: Runtime, actor: Actor) -> tuple[Mode, ...]:
    return next(
        (p.modes for p in TableProcessors(runtime).all(actor) if p.name == "table:record"), ()
    )


def test_known_rows_are_changed_and_new_ones_added_and_all_is_undone(
    batches: TableBatches, rows_of: Rows
) -> None:
    batches.run("record", [row(n) for n in range(1, 31, 2)])
    before = rows_of("SELECT * FROM record ORDER BY id")
    batch = batches.run(
        "record", [row(n, copies="0") for n in range(1, 31)], mode=Mode.UPSERT, treatment=BY_NUMBER
    )
    assert (batch.counts.created, batch.counts.updated) == (15, 15)
    assert rows_of("SELECT sum(copies), count(*) FROM record") == [(0, 30)]
    undone = batches.undo(batch)
    assert (undone.undone, undone.kept) == (30, 0)
    assert rows_of("SELECT * FROM record ORDER BY id") == before


def test_rows_that_the_database_refuses_are_told_among_many_good_ones(
    batches: TableBatches, rows_of: Rows
) -> None:
    batches.run("record", [row(n) for n in range(1, 21)])
    rows = [row(n, state="lost" if n in (5, 25) else "closed") for n in range(1, 41)]
    batch = batches.run("record", rows, mode=Mode.UPSERT, treatment=BY_NUMBER)
    assert (batch.counts.created, batch.counts.updated, batch.counts.failed) == (19, 19, 2)
    assert sorted(batches.errors(batch)) == [5, 25]
    assert rows_of("SELECT count(*) FROM record WHERE state = 'closed'") == [(38,)]


def test_rows_without_a_number_of_their_own_are_new(batches: TableBatches, rows_of: Rows) -> None:
    batches.run("record", [row(1)])
    rows = [row(7, id="1"), row(8, id=""), row(9, id="")]
    batch = batches.run("record", rows, mode=Mode.UPSERT)
    assert (batch.counts.created, batch.counts.updated) == (2, 1)
    assert rows_of(ALL) == [(1, "R-7", 7), (2, "R-8", 8), (3, "R-9", 9)]


def test_the_chosen_key_names_rows_though_another_is_in_the_file(
    batches: TableBatches, rows_of: Rows
) -> None:
    batches.run("record", [row(1), row(2)])
    rows = [row(1, copies="10", id="1"), row(2, copies="20", id="2")]
    batch = batches.run("record", rows, mode=Mode.UPDATE, treatment=BY_NUMBER)
    assert batch.counts.updated == 2
    moved = [row(2, copies="30", id="7")]
    batches.run("record", moved, mode=Mode.UPDATE, treatment=BY_NUMBER)
    assert rows_of(ALL) == [(1, "R-1", 10), (7, "R-2", 30)]


def test_without_a_choice_the_first_key_in_the_file_names_rows(
    batches: TableBatches, rows_of: Rows
) -> None:
    batches.run("record", [row(1), row(2)])
    batches.run("record", [row(3, id="1")], mode=Mode.UPDATE)
    assert rows_of(ALL) == [(1, "R-3", 3), (2, "R-2", 2)]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (("copies",), "copies does not name one row. Choose id or number"),
        (("id",), "The file has no column for id"),
    ],
)
def test_a_key_that_names_nothing_is_refused_in_words(
    batches: TableBatches, chosen: tuple[str, ...], words: str
) -> None:
    with pytest.raises(FailedError, match=words):
        batches.run("record", [row(1)], mode=Mode.UPDATE, treatment=Treatment(identity=chosen))


def test_to_change_or_add_one_must_be_granted_both(
    runtime: Runtime,
    batches: TableBatches,
    people: People,
    grant: Callable[..., None],
    rows_of: Rows,
) -> None:
    manager = people.make("manager", Role.IMPORT_MANAGER)
    grant("record", (Role.IMPORT_MANAGER, Action.CREATE))
    assert modes_of(runtime, manager) == (Mode.CREATE,)
    with pytest.raises(FailedError, match="You may not"):
        batches.run("record", [row(1)], mode=Mode.UPSERT, actor=manager)
    assert rows_of(ALL) == []
    grant("record", (Role.IMPORT_MANAGER, Action.CREATE), (Role.IMPORT_MANAGER, Action.UPDATE))
    assert modes_of(runtime, manager) == (Mode.CREATE, Mode.UPDATE, Mode.UPSERT)
    assert batches.run("record", [row(1)], mode=Mode.UPSERT, actor=manager).counts.created == 1
