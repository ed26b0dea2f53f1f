"""Moments that a file writes with an offset are the same ones in the table afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.rows.processors import Mode
from portal.runtime import Runtime
from portal.settings import Settings
from tests.tables.batches import TableBatches
from tests.tables.conftest import Execute, Rows

EVENTS = "CREATE TABLE event (id NUMBERED, name varchar(20) NOT NULL UNIQUE, at {kind})"
KINDS = {
    "sqlite": ("timestamp", "datetime"),
    "postgresql": ("timestamp", "timestamp with time zone"),
}
HOURS = [{"name": f"e{n}", "at": f"2025-07-01T{n % 24:02}:30:00Z"} for n in range(100)]


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tables_url: str) -> Settings:
    return make_settings(tables_url=tables_url, timezone="Europe/Berlin")


@pytest.fixture(params=[0, 1], ids=["bare", "other"])
def batches(
    request: pytest.FixtureRequest, runtime: Runtime, tmp_path: Path, execute: Execute
) -> TableBatches:
    execute(EVENTS.format(kind=KINDS[runtime.tables.dialect.name][request.param]))
    return TableBatches(runtime, tmp_path)


def test_an_undo_takes_them_back(batches: TableBatches, rows_of: Rows) -> None:
    undone = batches.undo(batches.run("event", HOURS))
    assert (undone.undone, undone.kept) == (100, 0)
    assert rows_of("SELECT count(*) FROM event") == [(0,)]


def test_a_second_run_finds_nothing_to_change(batches: TableBatches) -> None:
    batches.run("event", HOURS)
    again = batches.run("event", HOURS, mode=Mode.UPDATE)
    assert (again.counts.unchanged, again.counts.updated) == (100, 0)


def test_one_beyond_the_calendar_is_a_fault_of_its_row(batches: TableBatches) -> None:
    batch = batches.run("event", [{"name": "first", "at": "0001-01-01T00:00:00+14:00"}, HOURS[0]])
    assert (batch.counts.created, batch.counts.failed) == (1, 1)
    assert list(batches.errors(batch)[1]) == ["at"]
