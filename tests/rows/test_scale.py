"""Many rows: memory stays flat, and fifty thousand failing ones are paged at once."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.rows.editing import failing
from tests.rows.people import person

ROOT = Path(__file__).parents[2]
FEW, MANY = 8_000, 80_000
SLACK = 12_000_000
FAILING = 50_000


def memory(folder, *task):
    folder.mkdir()
    command = [sys.executable, "-m", "tests.rows.memory_process", str(folder), *map(str, task)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", ["run", "plan", "undo"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path, task):
    few = memory(tmp_path / "few", "table", task, FEW)
    many = memory(tmp_path / "many", "table", task, MANY)
    assert many < few + SLACK
    assert many < 150_000_000


@pytest.fixture(scope="module")
def row():
    return person(1, age="x")


def test_fifty_thousand_failing_rows_are_paged_quickly(batches, row):
    """In a batch of its own they are read by an index: the last page is as near as the first."""
    batch = batches.done([row])
    (entry,) = batches.entries(batch.id)
    table = batches.books.tables.row
    template = {
        "batch": batch.number,
        "line": 2,
        "outcome": "failed",
        "attempt": 1,
        "cells": entry.cells,
        "errors": dict(entry.errors),
    }
    lines = [template | {"first_row": n, "last_row": n} for n in range(2, FAILING + 1)]
    with batches.database.begin() as connection:
        connection.execute(table.insert(), lines)
    with batches.books.read() as session:
        began = time.thread_time()
        page = failing(session, tables=batches.books.tables, batch=batch, after=FAILING - 60)
        assert time.thread_time() - began < 0.1
    assert len(page.entries) == 50
    assert page.following == FAILING - 10
