"""Very many rows that a table refuses: some in the database's own words, the others derived."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from portal.rows.batch import Batch
from portal.rows.processors import Mode
from portal.runtime import Runtime
from tests.tables.batches import TableBatches
from tests.tables.conftest import Execute, Rows

BOXES = """CREATE TABLE box (
    id NUMBERED,
    code varchar(20) NOT NULL UNIQUE,
    label varchar(20) UNIQUE,
    copies integer NOT NULL,
    weight numeric(10, 2) CHECK (weight < 100))"""
DERIVED = "(derived)"


@pytest.fixture
def batches(runtime: Runtime, tmp_path: Path, execute: Execute) -> TableBatches:
    execute(BOXES, "INSERT INTO box (code, label, copies) VALUES ('first', 'taken', 1)")
    return TableBatches(runtime, tmp_path)


def box(number: int, **values: str) -> dict[str, str]:
    made = {"code": f"B-{number}", "label": f"L-{number}", "copies": "1", "weight": "9.50"}
    return made | values


def told(batches: TableBatches, batch: Batch) -> list[str]:
    found = batches.errors(batch)
    return [text for at in sorted(found) for texts in found[at].values() for text in texts]


def derived(texts: Sequence[str]) -> int:
    return sum(text.endswith(DERIVED) for text in texts)


def test_a_thousand_refused_rows_have_the_databases_own_words_and_the_others_derived_ones(
    batches: TableBatches, rows_of: Rows
) -> None:
    rows = [box(n, label="taken") if n % 2 else box(n) for n in range(3_000)]
    batch = batches.run("box", rows)
    texts = told(batches, batch)
    assert (batch.counts.created, batch.counts.failed) == (1_500, 1_500)
    assert {text for text in texts if text.endswith(DERIVED)} == {
        f"There is a row with the same label already. {DERIVED}"
    }
    own = [text for text in texts if "(UNIQUE constraint" in text or "(duplicate key" in text]
    assert len(own) + derived(texts) == 1_500
    assert 300 <= len(own) <= 1_000
    assert rows_of("SELECT count(*) FROM box") == [(1_501,)]


@pytest.mark.parametrize(
    ("fault", "field", "text"),
    [
        ({"weight": "100.5"}, "", "The rule “"),
        ({"label": "taken"}, "label", "There is a row with the same label already."),
    ],
)
def test_each_kind_of_rule_is_derived(
    batches: TableBatches, fault: dict[str, str], field: str, text: str
) -> None:
    rows = [box(n, **fault) if n % 3 == 0 else box(n) for n in range(90)]
    batch = batches.run("box", rows, tried_alone=0)
    assert (batch.counts.created, batch.counts.failed) == (60, 30)
    errors = batches.errors(batch)
    assert sorted(errors) == list(range(1, 91, 3))
    assert all(text in said[field][0] for said in errors.values())


def test_changes_that_break_a_rule_are_derived_too(batches: TableBatches, rows_of: Rows) -> None:
    batches.run("box", [box(n) for n in range(40)])
    changes = [box(n, weight="250" if n % 2 else "20") for n in range(40)]
    batch = batches.run("box", changes, mode=Mode.UPDATE, tried_alone=0)
    assert (batch.counts.updated, batch.counts.failed) == (20, 20)
    assert derived(told(batches, batch)) == 20
    assert rows_of("SELECT max(weight) FROM box") == [(20,)]


def test_of_rows_with_the_same_the_first_is_taken(batches: TableBatches, rows_of: Rows) -> None:
    batch = batches.run("box", [box(n, label="new") for n in range(20)], tried_alone=0)
    assert (batch.counts.created, batch.counts.failed) == (1, 19)
    assert rows_of("SELECT code FROM box WHERE label = 'new'") == [("B-0",)]


def test_what_no_known_rule_explains_is_tried_all_the_same(
    batches: TableBatches, execute: Execute
) -> None:
    execute("CREATE UNIQUE INDEX box_folded ON box (lower(label))")
    rows = [box(n, label=f"l-{n - 1}" if n % 2 else f"L-{n}") for n in range(40)]
    batch = batches.run("box", rows, tried_alone=0)
    assert (batch.counts.created, batch.counts.failed) == (20, 20)
    assert derived(told(batches, batch)) == 0
