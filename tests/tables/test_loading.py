"""The quick way and the careful way of creating records come to the same, whatever the file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.rows.batch import Batch, BatchState
from portal.runtime import Runtime
from tests.tables.batches import Doubting, TableBatches

TOWNS = "CREATE TABLE town (name varchar(10) PRIMARY KEY)"
PEOPLE = """CREATE TABLE person (
    number integer, part varchar(3), town varchar(10) REFERENCES town, age integer,
    fee numeric(6, 2) DEFAULT 1.50, nick varchar(6) UNIQUE,
    PRIMARY KEY (number, part), CHECK (age < 100))"""
COLUMNS = ("number", "part", "town", "age", "fee", "nick")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", "4", "05", "x", ""]),
        st.sampled_from(["a", "b", "long", "<IGNORE>"]),
        st.sampled_from(["Bonn", "Jena", "Nowhere", ""]),
        st.sampled_from(["7", "99", "100", "", "XXX"]),
        st.sampled_from(["1.5", "", "0.001", "<IGNORE>"]),
        st.sampled_from(["", "Bo", "Mo"]),
    )
    | st.just(("", "", "", "", "", ""))
    | st.just(("1", "a")),
    max_size=14,
)


@pytest.fixture
def both(runtime: Runtime, tmp_path: Path, execute: Callable[..., None]) -> Any:
    """`both(rows)`: what the table and the ledger hold after each way."""
    execute(TOWNS, "INSERT INTO town VALUES ('Bonn'), ('Jena')", PEOPLE)
    quick = TableBatches(runtime, tmp_path, at_once=3)
    careful = TableBatches(runtime, tmp_path, at_once=3, source=Doubting)

    def told(batches: TableBatches, rows: Sequence[Sequence[str]], **values: Any) -> Any:
        execute("DELETE FROM person", "INSERT INTO person VALUES (4, 'b', NULL, 1, 1, 'Jo')")
        path = tmp_path / "people.csv"
        lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
        path.write_text("".join(f"{line}\n" for line in lines))
        batch = batches.run_file(path, "person", columns=COLUMNS, **values)
        return batch, _people(runtime), batches.errors(batch)

    return lambda rows, **values: (told(quick, rows, **values), told(careful, rows, **values))


def _people(runtime: Runtime) -> list[tuple[Any, ...]]:
    with runtime.tables.connect() as connection:
        found = connection.exec_driver_sql("SELECT * FROM person ORDER BY number, part")
        return [tuple(row) for row in found]


def _same(quick: tuple[Batch, Any, Any], careful: tuple[Batch, Any, Any]) -> None:
    assert quick[1] == careful[1]
    assert quick[0].counts == careful[0].counts
    assert quick[0].state is careful[0].state
    assert quick[2].keys() == careful[2].keys()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, whole=st.booleans())
def test_both_ways_agree(both: Any, rows: list[tuple[str, ...]], whole: bool) -> None:
    _same(*both(rows, whole=whole))


def test_the_first_valid_row_of_two_wins_and_the_other_names_it(both: Any) -> None:
    rows = [("1", "a", "Nowhere", "1", "1", ""), ("1", "a", "Bonn", "2", "1", "")]
    rows += [("2", "a", "Bonn", "3", "1", "")] * 2 + [("1", "a", "Jena", "4", "1", "")]
    (batch, people, errors), _ = both(rows)
    assert [person[:4] for person in people[:2]] == [(1, "a", "Bonn", 2), (2, "a", "Bonn", 3)]
    assert errors[4] == {"": ["Row 3 of this file has the same number and part."]}
    assert errors[5] == {"": ["Row 2 of this file has the same number and part."]}
    assert (batch.counts.created, batch.counts.failed) == (2, 3)


def test_a_refused_whole_leaves_nothing_and_tells_all(both: Any) -> None:
    rows = [(str(n), "c", "Bonn", "1", "1", "") for n in range(20)] + [("x", "c", "", "", "", "")]
    (batch, people, errors), _ = both([*rows, ("3", "c", "Nowhere", "200", "1", "")], whole=True)
    assert batch.state is BatchState.REFUSED
    assert [person[0] for person in people] == [4]
    assert errors.keys() == {21, 22}


def test_a_row_without_a_part_of_its_key_is_told_so(both: Any) -> None:
    for batch, people, errors in both(
        [("", "a", "Bonn", "7", "1", ""), ("3", "a", "", "", "", "")]
    ):
        assert [person[:2] for person in people] == [(3, "a"), (4, "b")]
        assert errors == {1: {"number": ["RequiredMissing: this cannot be left empty"]}}
        assert batch.counts.failed == 1
