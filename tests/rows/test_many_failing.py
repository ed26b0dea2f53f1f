"""Fifty thousand failing rows: a page of the grid comes at once, and one order repairs them all."""

import time

from portal.rows.editing import replace_value
from portal.rows.grid import ROWS_SHOWN, open_grid, rows_after
from tests.rows.people import PROCESSORS, person

FAILING = 50_000
SOON = 1.0  # seconds; a page takes a fiftieth of it


def test_fifty_thousand_failing_rows_stay_usable(batches):
    batch = batches.done([person(row, age="old") for row in range(1, FAILING + 1)])
    assert batch.counts.failed == FAILING
    grid = open_grid(batch, PROCESSORS.get("people"))
    for after in (0, FAILING // 2, FAILING - ROWS_SHOWN):
        began = time.perf_counter()
        rows, _ = rows_after(batches.books, grid, after)
        assert time.perf_counter() - began < SOON
        assert [row.number for row in rows] == list(range(after + 1, after + ROWS_SHOWN + 1))
    assert replace_value(batches.books, batch_id=batch.id, column=2, old="old", new="41") == FAILING
