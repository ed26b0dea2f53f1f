"""All rows of a table, some at a time, as they are at one moment, in little memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from portal.db import reading
from portal.tables.layout import Layout
from portal.tables.quoting import escaped, quoted
from portal.tabular.fields import Value

AT_ONCE = 2000


@contextmanager
def moment_of(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is now, whatever is written meanwhile."""
    with reading(engine).connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901 (the same one, told more)
                isolation_level="REPEATABLE READ"
            )
        yield connection


def stream(connection: Connection, layout: Layout) -> Iterator[Sequence[Sequence[Value]]]:
    """The rows in the order of their key."""
    width = len(layout.shape.key)
    order = ", ".join(f"t.{quoted(name)}" for name in layout.shape.key)
    sql = (
        f"SELECT {', '.join(layout.chosen[width:])} FROM {quoted(layout.shape.name)} AS t "  # noqa: S608
        f"{layout.joins} {f'ORDER BY {order}' if order else ''}"
    )
    decoders = [layout.codecs[name].decode for name in layout.names]
    found = connection.execution_options(stream_results=True, max_row_buffer=AT_ONCE)
    with found.exec_driver_sql(escaped(sql, dialect=connection.dialect.name)) as result:
        for rows in result.partitions(AT_ONCE):
            yield _decoded(rows, decoders)


def _decoded(rows: Sequence[Any], decoders: Sequence[Any]) -> Sequence[Sequence[Value]]:
    columns = [
        list(column)
        if decode is None
        else [None if value is None else decode(value) for value in column]
        for column, decode in zip(zip(*rows, strict=True), decoders, strict=True)
    ]
    return list(zip(*columns, strict=True))
