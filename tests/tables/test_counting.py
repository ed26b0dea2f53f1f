"""Counting rows, and the patience that pages have."""

import pytest

from portal.runtime import Runtime
from portal.tables.catalog import catalog_of
from portal.tables.counting import COUNTED, Count, count_rows
from portal.tables.patience import TooSlowError, limited
from tests.tables.conftest import Execute

NUMBERS = """WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
SELECT i FROM n"""


def count(runtime: Runtime, table: str) -> Count:
    with runtime.tables.connect() as connection:
        return count_rows(connection, catalog_of(runtime).get(table))


@pytest.mark.parametrize("rows", [0, 1, COUNTED])
def test_few_rows_are_counted_exactly(execute: Execute, runtime: Runtime, rows: int) -> None:
    execute("CREATE TABLE t (a integer PRIMARY KEY)")
    if rows:
        execute(f"INSERT INTO t {NUMBERS.format(rows)}")
    assert count(runtime, "t") == Count(number=rows)


def test_many_rows_are_told_about(execute: Execute, runtime: Runtime) -> None:
    execute("CREATE TABLE t (a integer PRIMARY KEY)", f"INSERT INTO t {NUMBERS.format(30_000)}")
    if runtime.tables.dialect.name == "postgresql":
        execute("ANALYZE t")
    found = count(runtime, "t")
    assert not found.exact
    assert 29_000 <= found.number <= 31_000


def test_what_takes_too_long_ends_in_words(runtime: Runtime) -> None:
    endless = NUMBERS.format(10**12)
    with (
        runtime.tables.connect() as connection,
        pytest.raises(TooSlowError, match="too large"),
        limited(connection, seconds=0.1),
    ):
        connection.exec_driver_sql(f"SELECT count(*) FROM ({endless}) AS many").scalar()
