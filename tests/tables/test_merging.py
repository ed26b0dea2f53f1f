"""The quick way and the careful way of changing records come to the same, whatever the file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.rows.batch import Batch, BatchState, Outcome
from portal.rows.processors import Mode
from portal.runtime import Runtime
from tests.tables.batches import Doubting, TableBatches

TOWNS = "CREATE TABLE town (name varchar(10) PRIMARY KEY)"
PEOPLE = """CREATE TABLE person (
    number integer, part varchar(3), town varchar(10) REFERENCES town, age integer NOT NULL,
    fee numeric(6, 2), nick varchar(6) UNIQUE, since date, entered timestamp, vip boolean,
    PRIMARY KEY (number, part), CHECK (age < 100))"""
COLUMNS = ("number", "part", "town", "age", "fee", "nick", "since", "entered", "vip")
OLD = """INSERT INTO person VALUES
    (1, 'a', 'Bonn', 7, 1.50, NULL, '2020-01-31', '2020-01-31 10:00:00', true),
    (1, 'b', 'Jena', 7, NULL, 'Jo"\\', NULL, NULL, NULL),
    (2, 'a', NULL, 99, 0, 'Ü', '2020-01-31', '2020-01-31 10:00:00', false)"""
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", "4", "05", "x", ""]),
        st.sampled_from(["a", "b", "long", "<IGNORE>"]),
        st.sampled_from(["Bonn", "Jena", "Nowhere", ""]),
        st.sampled_from(["7", "99", "100", "", "XXX"]),
        st.sampled_from(["1.5", "", "0.001", "<IGNORE>"]),
        st.sampled_from(["", "Bo", "Ü"]),
        st.sampled_from(["", "2020-01-31"]),
        st.sampled_from(["", "2020-01-31 10:00:00"]),
        st.sampled_from(["", "true", "false"]),
    )
    | st.just(("",) * len(COLUMNS))
    | st.just(("1", "a")),
    max_size=14,
)


class Told(NamedTuple):
    """What a way came to, and its undo."""

    batch: Batch
    people: list[tuple[Any, ...]]
    fates: dict[int, Any]
    left: list[tuple[Any, ...]]
    undone: int
    kept: int


@pytest.fixture
def both(runtime: Runtime, tmp_path: Path, execute: Callable[..., None]) -> Any:
    """`both(rows)`: what the table and the ledger hold after each way, and after its undo."""
    execute(TOWNS, "INSERT INTO town VALUES ('Bonn'), ('Jena')", PEOPLE)
    quick = TableBatches(runtime, tmp_path, at_once=10)
    careful = TableBatches(runtime, tmp_path, at_once=10, source=Doubting)

    def told(batches: TableBatches, rows: Sequence[Sequence[str]], **values: Any) -> Any:
        execute("DELETE FROM person", OLD)
        path = tmp_path / "people.csv"
        lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
        path.write_text("".join(f"{line}\n" for line in lines))
        batch = batches.run_file(path, "person", columns=COLUMNS, **values)
        people, fates = _people(runtime), _fates(batches, batch)
        undone = batch if batch.state is BatchState.REFUSED else batches.undo(batch)
        left = _people(runtime)
        return Told(batch, people, fates, left, undone.undone, undone.kept)

    return lambda rows, **values: (told(quick, rows, **values), told(careful, rows, **values))


def _people(runtime: Runtime) -> list[tuple[Any, ...]]:
    with runtime.tables.connect() as connection:
        found = connection.exec_driver_sql("SELECT * FROM person ORDER BY number, part")
        return [tuple(row) for row in found]


def _fates(batches: TableBatches, batch: Batch) -> dict[int, Any]:
    """Row by row; a failing row may be refused in other words, and ranges may be cut."""
    fates: dict[int, Any] = {}
    for entry in batches.entries(batch):
        told = (entry.line, entry.outcome, entry.record_key, entry.cells, entry.edited)
        told += (entry.before, entry.after, entry.skip_reason, entry.attempt)
        if entry.outcome is Outcome.FAILED:
            fates[entry.first_row] = (*told, sorted(entry.errors))
        elif entry.outcome is Outcome.UPDATED:
            fates[entry.first_row] = (*told, entry.after_hash)
        else:
            numbers = range(entry.first_row, entry.last_row + 1)
            fates.update((number, entry.outcome) for number in numbers)
    return fates


def _same(quick: Told, careful: Told) -> None:
    assert quick.people == careful.people
    assert quick.batch.counts == careful.batch.counts
    assert quick.batch.state is careful.batch.state
    assert quick.fates == careful.fates
    assert quick[3:] == careful[3:]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, whole=st.booleans(), mode=st.sampled_from([Mode.UPSERT, Mode.UPDATE]))
def test_both_ways_agree(both: Any, rows: list[tuple[str, ...]], whole: bool, mode: Mode) -> None:
    _same(*both(rows, whole=whole, mode=mode))


def row(number: str, part: str, age: str, nick: str = "") -> tuple[str, ...]:
    return (number, part, "Bonn", age, "1.5", nick, "", "", "")


def test_of_two_rows_for_one_record_the_first_good_one_wins(both: Any) -> None:
    rows = [row("1", "a", "100"), row("1", "a", "8"), row("9", "a", "1")]
    rows += [row(str(n), "c", "1") for n in range(12)] + [row("1", "a", "9"), row("9", "a", "2")]
    quick, careful = both(rows, mode=Mode.UPSERT)
    _same(quick, careful)
    ages = {(number, part): age for number, part, _, age, *_ in quick.people}
    assert (ages[1, "a"], ages[9, "a"]) == (8, 1)
    assert (quick.batch.counts.updated, quick.batch.counts.failed) == (1, 3)


def test_rows_that_say_what_is_there_change_nothing(both: Any) -> None:
    same = ("1", "a", "Bonn", "7", "1.5", "", "2020-01-31", "2020-01-31 10:00:00", "true")
    quick, careful = both([same, row("3", "a", "1"), ("2", *same[1:])], mode=Mode.UPSERT)
    _same(quick, careful)
    counts = quick.batch.counts
    assert (counts.unchanged, counts.created, counts.updated) == (1, 1, 1)


def test_names_that_pass_on_end_as_they_would_one_by_one(both: Any) -> None:
    rows = [row("1", "a", "7", "Bo"), row("3", "a", "7", "Ü"), row("2", "a", "7", "Mo")]
    _same(*both([*rows, row("1", "b", "7", "Ü")], mode=Mode.UPSERT))
