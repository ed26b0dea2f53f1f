"""Many rows of an SQLite table in few statements, on the driver's own `executemany`."""

import json
from collections.abc import Sequence
from itertools import chain, compress
from typing import Any

from sqlalchemy.orm import Session

from portal.tables.lookups import Column, Question, check_met
from portal.tables.quoting import quoted
from portal.tables.shapes import Check, ColumnShape, Made, TableShape

_SUSPECTS = "_portal_suspects"
_PLACE = "_portal_place"


class SqliteRows:
    """The rows of one table."""

    def __init__(self, shape: TableShape) -> None:
        self._table = quoted(shape.name)
        self._name = shape.name
        self._keys = shape.key

    def look_up(self, session: Session, question: Question) -> list[tuple[Any, ...]]:
        """CROSS JOIN keeps the order: each value that is asked for is looked up by an index."""
        single = len(question.match) == 1
        asked = question.asked[0] if single else list(zip(*question.asked, strict=True))
        parts = ["k.value"] if single else _parts(len(question.match))
        conditions = (
            f"t.{quoted(column.name)} = {part}"
            for column, part in zip(question.match, parts, strict=True)
        )
        sql = (
            f"SELECT k.key, {', '.join(question.chosen)} FROM json_each(?) AS k "  # noqa: S608
            f"CROSS JOIN {quoted(question.table)} AS t {question.joins} "
            f"WHERE {' AND '.join(conditions)}"
        )
        found = session.connection().exec_driver_sql(sql, (json.dumps(asked),))
        return [tuple(row) for row in found]

    def pack(self, values: Sequence[Column]) -> list[tuple[Any, ...]]:
        """Rows, given column by column, as `insert` takes them."""
        return list(zip(*values, strict=True))

    def some(self, packed: list[tuple[Any, ...]], taken: Sequence[int]) -> list[tuple[Any, ...]]:
        """Those of the packed rows that are `taken`."""
        return list(compress(packed, taken))

    def insert(
        self, session: Session, columns: Sequence[str], packed: Sequence[list[tuple[Any, ...]]]
    ) -> None:
        """Add all rows that were `packed`."""
        names = ", ".join(quoted(name) for name in columns)
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {self._table} ({names}) VALUES ({marks})"  # noqa: S608
        session.connection().exec_driver_sql(sql, list(chain.from_iterable(packed)))

    def update(
        self,
        session: Session,
        keys: Sequence[Column],
        columns: Sequence[str],
        values: Sequence[Column],
    ) -> None:
        """Change the rows with these keys; raises GoneError where one is not there."""
        changes = ", ".join(f"{quoted(name)} = ?" for name in columns)
        sql = f"UPDATE {self._table} SET {changes} WHERE {self._key()}"  # noqa: S608
        self._execute(session, sql, [*values, *keys])

    def delete(self, session: Session, keys: Sequence[Column]) -> None:
        """Remove the rows with these keys; raises GoneError where one is not there."""
        self._execute(session, f"DELETE FROM {self._table} WHERE {self._key()}", keys)  # noqa: S608

    def breaking(
        self, session: Session, check: Check, columns: Sequence[str], values: Sequence[Column]
    ) -> list[int]:
        """The rows are put into a table whose columns take values as those of the real one do.

        That table knows no collations; where there are any, nothing is said.
        """
        connection = session.connection()
        collated = "SELECT 1 FROM sqlite_master WHERE name = ? AND sql LIKE '%collate%'"
        if connection.exec_driver_sql(collated, (self._name,)).scalar():
            return []
        names = ", ".join(quoted(name) for name in columns)
        marks = ", ".join("?" * (len(columns) + 1))
        asked = f"{_PLACE} FROM temp.{_SUSPECTS} AS {self._table}"
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE {_SUSPECTS} AS SELECT 0 AS {_PLACE}, {names} "  # noqa: S608
            f"FROM {self._table} WHERE 0"
        )
        rows = list(zip(range(len(values[0])), *values, strict=True))
        connection.exec_driver_sql(f"INSERT INTO temp.{_SUSPECTS} VALUES ({marks})", rows)  # noqa: S608
        found = connection.exec_driver_sql(f"SELECT {asked} WHERE NOT ({check.sql})")
        places = list(found.scalars())
        connection.exec_driver_sql(f"DROP TABLE temp.{_SUSPECTS}")
        return places

    def make_up(self, session: Session, column: ColumnShape, count: int) -> list[Any]:
        """Whoever writes holds the only lock, so the numbers cannot be given twice."""
        connection = session.connection()
        if column.made is Made.BY_COUNTER:
            last = self._last_number(session, column)
            return list(range(last + 1, last + 1 + count))
        sql = f"SELECT {column.default} FROM json_each(?)"  # noqa: S608 (the table's own DEFAULT)
        return list(connection.exec_driver_sql(sql, (json.dumps([0] * count),)).scalars())

    def count_on(self, session: Session, column: ColumnShape, highest: int) -> None:
        """SQLite does so by itself."""

    def _last_number(self, session: Session, column: ColumnShape) -> int:
        connection = session.connection()
        sql = f"SELECT max({quoted(column.name)}) FROM {self._table}"  # noqa: S608
        numbers = [connection.exec_driver_sql(sql).scalar()]
        known = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"
        if connection.exec_driver_sql(known).scalar():  # AUTOINCREMENT: never a number again
            sql = "SELECT seq FROM sqlite_sequence WHERE name = ?"
            numbers.append(connection.exec_driver_sql(sql, (self._name,)).scalar())
        return max(number or 0 for number in numbers)

    def _key(self) -> str:
        return " AND ".join(f"{quoted(name)} = ?" for name in self._keys)

    def _execute(self, session: Session, sql: str, values: Sequence[Column]) -> None:
        rows = list(zip(*values, strict=True))
        check_met(session.connection().exec_driver_sql(sql, rows).rowcount, len(rows))


def _parts(count: int) -> list[str]:
    return [f"json_extract(k.value, '$[{place}]')" for place in range(count)]
