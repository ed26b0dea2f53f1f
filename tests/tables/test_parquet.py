"""Tables as Parquet, read back by another program and compared with their rows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from portal.accounts.permissions import Role
from portal.jobs.models import Job
from portal.jobs.runner import perform
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.catalog import catalog_of
from portal.tables.files import FileFormat
from portal.tables.layout import Layout
from portal.tables.parquet.arrays import Packing
from portal.tables.parquet.file import look_through, write_parquet
from portal.tables.parquet.kinds import Kind, ParquetColumn, columns_of
from portal.tables.service import layout_to_read
from tests.projects.people import People
from tests.tables.conftest import Execute
from tests.tables.test_exports import ask, engine, export

__all__ = ["ask", "engine", "export"]
Export = Callable[..., Path]
PLAIN = (
    """CREATE TABLE t (id bigint PRIMARY KEY, fee numeric(10, 2), day date, at timestamp,
    paid boolean, body text, part double precision)""",
    """INSERT INTO t VALUES
    (1, 2.50, '2026-02-28', '2026-02-28 10:00:00.000123', true, '=1+1', 0.1),
    (2, NULL, NULL, NULL, NULL, NULL, NULL),
    (9223372036854775807, -99999999.99, '0001-01-01', '9999-12-31 23:59:59', false, 'ä', -1.5)""",
)


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tables_url: str) -> Settings:
    return make_settings(tables_url=tables_url, timezone="Europe/Berlin")


def layout_of(runtime: Runtime, table: str) -> Layout:
    return layout_to_read(runtime, catalog_of(runtime).get(table), words=())


def write(runtime: Runtime, table: str, path: Path, *parts: Sequence[Any]) -> pa.Table:
    """What is read back of a table with the rows of `parts`."""
    layout = layout_of(runtime, table)
    zone = runtime.settings.zone
    write_parquet(path, layout, read=lambda: iter(parts), zone=zone, told=lambda *_: None)
    return pq.read_table(path)


def test_every_value_comes_back_as_it_is(execute: Execute, export: Export) -> None:
    execute(*PLAIN)
    found = pq.read_table(export("t", FileFormat.PARQUET))
    assert found.to_pylist() == [
        {
            "id": 1,
            "fee": Decimal("2.50"),
            "day": date(2026, 2, 28),
            "at": datetime(2026, 2, 28, 10, 0, 0, 123),
            "paid": True,
            "body": "=1+1",
            "part": 0.1,
        },
        dict.fromkeys(("id", "fee", "day", "at", "paid", "body", "part")) | {"id": 2},
        {
            "id": 2**63 - 1,
            "fee": Decimal("-99999999.99"),
            "day": date(1, 1, 1),
            "at": datetime(9999, 12, 31, 23, 59, 59),
            "paid": False,
            "body": "ä",
            "part": -1.5,
        },
    ]


def test_columns_have_their_types(execute: Execute, export: Export) -> None:
    execute(*PLAIN)
    schema = pq.read_schema(export("t", FileFormat.PARQUET))
    assert [str(field.type) for field in schema] == [
        "int64",
        "decimal128(10, 2)",
        "date32[day]",
        "timestamp[us]",
        "bool",
        "string",
        "double",
    ]


def test_moments_are_told_in_utc_also_those_of_the_hour_that_comes_twice() -> None:
    zone = ZoneInfo("Europe/Berlin")
    told = [
        (datetime(2026, 10, 25, 2, 30),),
        (datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=zone),),
        (datetime(2026, 7, 1, 12),),
        (None,),
    ]
    packing = Packing([ParquetColumn(name="at", kind=Kind.MOMENT)], zone=zone)
    assert pa.record_batch(packing.batch(told)).column("at").to_pylist() == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 10, 0, tzinfo=UTC),
        None,
    ]


def test_a_column_whose_moments_have_a_zone_is_told_apart(
    runtime: Runtime, execute: Execute
) -> None:
    """SQLite has no such columns."""
    execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp with time zone, bare timestamp)")
    kinds = [column.kind for column in columns_of(layout_of(runtime, "t"))]
    served = runtime.tables.dialect.name == "postgresql"
    assert (kinds[1] is Kind.MOMENT) is served
    assert kinds[2] is Kind.DATETIME


def test_a_decimal_keeps_the_limits_of_its_column(execute: Execute, export: Export) -> None:
    execute(
        "CREATE TABLE t (id integer PRIMARY KEY, fee numeric(12, 3))",
        "INSERT INTO t VALUES (1, 1.5)",
    )
    found = pq.read_table(export("t", FileFormat.PARQUET))
    assert str(found.schema.field("fee").type) == "decimal128(12, 3)"
    assert found.column("fee").to_pylist() == [Decimal("1.500")]


def test_numbers_without_limits_keep_all_their_digits(execute: Execute, export: Export) -> None:
    execute(
        "CREATE TABLE t (id integer PRIMARY KEY, n numeric)",
        "INSERT INTO t VALUES (1, 12345.5), (2, 0.00125), (3, NULL)",
    )
    found = pq.read_table(export("t", FileFormat.PARQUET))
    assert found.column("n").to_pylist() == [Decimal("12345.50000"), Decimal("0.00125"), None]


def test_a_column_with_a_value_that_is_not_of_its_type_is_text(
    runtime: Runtime, execute: Execute, tmp_path: Path
) -> None:
    execute("CREATE TABLE t (id integer PRIMARY KEY, n numeric(5, 2), day date)")
    rows = [(1, Decimal("1.50"), date(2026, 1, 1)), (2, Decimal("NaN"), "soon"), (3, None, None)]
    found = write(runtime, "t", tmp_path / "t.parquet", rows)
    assert found.column("n").to_pylist() == ["1.50", "NaN", None]
    assert found.column("day").to_pylist() == ["2026-01-01", "soon", None]


def test_an_empty_table_has_its_columns(execute: Execute, export: Export) -> None:
    execute("CREATE TABLE t (id integer PRIMARY KEY, fee numeric(10, 2))")
    found = pq.read_table(export("t", FileFormat.PARQUET))
    assert (found.num_rows, found.column_names) == (0, ["id", "fee"])


def test_groups_of_rows_are_as_small_as_their_values_are_large(
    runtime: Runtime, execute: Execute, tmp_path: Path
) -> None:
    execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    large = [(n, "x" * 100_000) for n in range(100)]
    small = [(n, "x") for n in range(2000)]
    found = look_through(layout_of(runtime, "t"), iter([small, large]), told=lambda _: None)
    assert found.group == 6_000  # three times as many rows as the largest portion had
    write(runtime, "t", tmp_path / "t.parquet", *[small] * 10)
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 1


def test_what_the_listener_raises_ends_the_writing(
    runtime: Runtime, execute: Execute, tmp_path: Path
) -> None:
    class StopError(BaseException):
        pass

    def told(stage: str, done: int) -> None:
        if stage == "Rows" and done > 2:
            raise StopError

    def read() -> Iterator[Any]:
        return iter([[(1,), (2,)], [(3,)]])

    execute("CREATE TABLE t (id integer PRIMARY KEY)")
    layout = layout_of(runtime, "t")
    with pytest.raises(StopError):
        write_parquet(tmp_path / "t.parquet", layout, read=read, zone=UTC, told=told)


def test_an_export_counts_its_rows(
    runtime: Runtime, execute: Execute, ask: Any, engine: Any, people: People
) -> None:
    execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    job = ask(people.make("exporter", Role.EXPORT_MANAGER), "t", FileFormat.PARQUET)
    perform(job.id, engine=engine)
    with runtime.reads() as session:
        result = session.scalars(select(Job.result).where(Job.id == job.id)).one()
    assert (result["rows"], result["name"][-8:]) == (2, ".parquet")
