"""How many rows tables have: exactly where there are few, about right where there are many."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from portal.tables.quoting import escaped, quoted
from portal.tables.shapes import TableShape

COUNTED = 10_000  # so many rows are counted in a few milliseconds


@dataclass(frozen=True, kw_only=True)
class Count:
    """A number of rows; `exact` is False where the database only estimates it."""

    number: int
    exact: bool = True


def count_rows(connection: Connection, shape: TableShape) -> Count:
    """How many rows the table has, without reading all of a large one."""
    dialect = connection.dialect.name
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {quoted(shape.name)} LIMIT {COUNTED + 1}) AS few"  # noqa: S608
    number = int(connection.exec_driver_sql(escaped(sql, dialect=dialect)).scalar_one())
    if number <= COUNTED:
        return Count(number=number)
    estimate = _estimate if dialect == "postgresql" else _last_rowid
    return Count(number=max(estimate(connection, shape), number), exact=False)


def count_exactly(connection: Connection, shape: TableShape) -> int:
    """How many rows the table has, all of them read where it takes that."""
    dialect = connection.dialect.name
    sql = f"SELECT count(*) FROM {quoted(shape.name)}"  # noqa: S608
    return int(connection.exec_driver_sql(escaped(sql, dialect=dialect)).scalar_one())


def count_all(connection: Connection, shapes: Sequence[TableShape]) -> dict[str, Count]:
    """The counts of several tables by name."""
    return {shape.name: count_rows(connection, shape) for shape in shapes}


def _estimate(connection: Connection, shape: TableShape) -> int:
    """PostgreSQL's own guess: rows per page when last analysed, by the pages that there are now."""
    sql = (
        "SELECT CASE WHEN relpages > 0 AND reltuples > 0 THEN reltuples / relpages ELSE 60 END "
        "* (pg_relation_size(oid) / current_setting('block_size')::int) FROM pg_class "
        "WHERE relname = %s AND relnamespace = current_schema()::regnamespace"
    )
    return int(connection.exec_driver_sql(sql, (shape.name,)).scalar_one())


def _last_rowid(connection: Connection, shape: TableShape) -> int:
    """SQLite's rows are numbered; a table without numbers has to be counted."""
    single = shape.primary_key if len(shape.primary_key) == 1 else ()
    if single and shape.column(single[0]).declared.upper() == "INTEGER":
        sql = f"SELECT max(rowid) - min(rowid) + 1 FROM {quoted(shape.name)}"  # noqa: S608
    else:
        return count_exactly(connection, shape)
    return int(connection.exec_driver_sql(sql).scalar_one() or 0)
