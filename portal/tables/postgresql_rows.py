"""Many rows of a PostgreSQL table in few statements: COPY to add, arrays to find and change."""

from collections.abc import Sequence
from itertools import compress
from typing import Any

from sqlalchemy.orm import Session

from portal.rows.copying import driver_cursor
from portal.tables.lookups import Column, Question, check_met
from portal.tables.quoting import escaped, quoted
from portal.tables.shapes import Check, ColumnShape, Made, TableShape

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_QUOTED = str.maketrans({"\\": r"\\", '"': r"\""})
# A join of another kind would read the whole table for every few thousand rows looked up.
_PLANS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
_BY_INDEX = "SELECT " + ", ".join(f"set_config('{name}', 'off', true)" for name in _PLANS)
_AS_EVER = "SELECT " + ", ".join(f"set_config('{name}', 'on', true)" for name in _PLANS)


class PostgresRows:
    """The rows of one table."""

    def __init__(self, shape: TableShape) -> None:
        self._table = quoted(shape.name)
        self._columns = {column.name: column for column in shape.columns}
        self._keys = tuple(self._columns[name] for name in shape.key)
        self._deferrable = any(key.deferrable for key in shape.foreign_keys)

    def look_up(self, session: Session, question: Question) -> list[tuple[Any, ...]]:
        """The rows found; each begins with its place in what was asked."""
        sql = (
            f"SELECT k.n - 1, {', '.join(question.chosen)} FROM {quoted(question.table)} AS t "  # noqa: S608
            f"{question.joins} JOIN {_given(question.match)} ON {_equal(question.match)}"
            f"{' FOR UPDATE OF t' if question.lock else ''}"
        )
        asked = tuple(map(_array, question.asked))
        with driver_cursor(session) as cursor:
            cursor.execute(_BY_INDEX)
            found = cursor.execute(_with_marks(sql).encode(), asked).fetchall()
            cursor.execute(_AS_EVER)
        return found

    def pack(self, values: Sequence[Column]) -> bytes:
        """Rows, given column by column, as `insert` takes them."""
        return _copied(values).encode() if values[0] else b""

    def some(self, packed: bytes, taken: Sequence[int]) -> bytes:
        """Those of the packed rows that are `taken`; a line of COPY is a row."""
        return b"".join(compress(packed.splitlines(keepends=True), taken))

    def insert(self, session: Session, columns: Sequence[str], packed: Sequence[bytes]) -> None:
        """Add all rows that were `packed`."""
        names = ", ".join(quoted(name) for name in columns)
        with driver_cursor(session) as cursor:
            with cursor.copy(f"COPY {self._table} ({names}) FROM STDIN".encode()) as copy:
                for rows in packed:
                    copy.write(rows)
            if self._deferrable:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def update(
        self,
        session: Session,
        keys: Sequence[Column],
        columns: Sequence[str],
        values: Sequence[Column],
    ) -> None:
        """Change the rows with these keys; raises GoneError where one is not there."""
        changes = ", ".join(
            f"{quoted(name)} = CAST(k.v{place} AS {self._columns[name].cast})"
            for place, name in enumerate(columns)
        )
        given = _given(self._keys, more=len(columns))
        sql = f"UPDATE {self._table} AS t SET {changes} FROM {given} WHERE {_equal(self._keys)}"  # noqa: S608
        self._execute(session, sql, [*keys, *values])

    def delete(self, session: Session, keys: Sequence[Column]) -> None:
        """Remove the rows with these keys; raises GoneError where one is not there."""
        sql = (
            f"DELETE FROM {self._table} AS t USING {_given(self._keys)} WHERE {_equal(self._keys)}"  # noqa: S608
        )
        self._execute(session, sql, keys)

    def breaking(
        self, session: Session, check: Check, columns: Sequence[str], values: Sequence[Column]
    ) -> list[int]:
        """The rows are asked about as if they were the table."""
        chosen = ", ".join(
            f"CAST(k.v{place} AS {self._columns[name].cast}) AS {quoted(name)}"
            for place, name in enumerate(columns)
        )
        given = _given((), more=len(columns))
        place = quoted("_portal_place")
        sql = (
            f"SELECT {place} FROM (SELECT k.n - 1 AS {place}, {chosen} FROM {given}) "  # noqa: S608
            f"AS {self._table} WHERE NOT ({check.sql})"
        )
        asked = tuple(map(_array, values))
        return list(session.connection().exec_driver_sql(_with_marks(sql), asked).scalars())

    def make_up(self, session: Session, column: ColumnShape, count: int) -> list[Any]:
        """What the column's own default gives; numbers so taken are nobody else's."""
        connection = session.connection()
        if column.made is Made.BY_COUNTER:
            sql = "SELECT CAST(nextval(CAST(%s AS regclass)) AS text) FROM generate_series(1, %s)"
            return list(connection.exec_driver_sql(sql, (column.counter, count)).scalars())
        default = escaped(str(column.default), dialect="postgresql")  # the table's own DEFAULT
        sql = f"SELECT CAST(({default}) AS text) FROM generate_series(1, %s)"  # noqa: S608
        return list(connection.exec_driver_sql(sql, (count,)).scalars())

    def count_on(self, session: Session, column: ColumnShape, highest: int) -> None:
        """Let the column's sequence go on behind `highest`, where we may."""
        sql = (
            "SELECT setval(CAST(%s AS regclass), %s) "
            "WHERE coalesce(pg_sequence_last_value(CAST(%s AS regclass)), 0) < %s "
            "AND has_sequence_privilege(%s, 'UPDATE')"
        )
        name = column.counter
        session.connection().exec_driver_sql(sql, (name, highest, name, highest, name))

    def _execute(self, session: Session, sql: str, values: Sequence[Column]) -> None:
        connection = session.connection()
        connection.exec_driver_sql(_BY_INDEX)
        arrays = tuple(map(_array, values))
        met = connection.exec_driver_sql(_with_marks(sql), arrays).rowcount
        connection.exec_driver_sql(_AS_EVER)
        check_met(met, len(values[0]))
        if self._deferrable:
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")


_MARK = "\x00"  # stands for a parameter until the percent signs of names are doubled


def _with_marks(sql: str) -> str:
    """Double the percent signs of `sql`, then put the driver's parameters in."""
    return escaped(sql, dialect="postgresql").replace(_MARK, "%s")


def _given(columns: Sequence[ColumnShape], *, more: int = 0) -> str:
    """The parameters as a table k: keys c0, c1 … of the columns' types, text v0, v1 …, number n."""
    arrays = [f"CAST({_MARK} AS {column.cast}[])" for column in columns]
    names = [f"c{place}" for place in range(len(columns))] + [f"v{place}" for place in range(more)]
    arrays += [f"CAST({_MARK} AS text[])"] * more
    return f"unnest({', '.join(arrays)}) WITH ORDINALITY AS k({', '.join(names)}, n)"


def _equal(columns: Sequence[ColumnShape]) -> str:
    return " AND ".join(f"t.{quoted(c.name)} = k.c{place}" for place, c in enumerate(columns))


def _array(column: Column) -> str:
    """The column as the text of an array; the driver's own way takes many times as long."""
    try:
        text = '","'.join(column)
    except TypeError:  # there is a None
        text = "\\"
    if column and "\\" not in text and text.count('"') == 2 * len(column) - 2:
        return '{"' + text + '"}'
    cells = ["NULL" if cell is None else '"' + cell.translate(_QUOTED) + '"' for cell in column]
    return "{" + ",".join(cells) + "}"


def _copied(values: Sequence[Column]) -> str:
    r"""Rows as COPY's text format has them: `\N` for NULL, four characters escaped.

    That nothing had to be escaped shows in the numbers of those characters, all rows at once.
    """
    empty = 0
    try:
        text = _joined(values)
    except TypeError:  # there is a None
        empty = sum(column.count(None) for column in values)
        text = _joined([_filled(column) for column in values])
    rows = len(values[0])
    expected = (rows - 1, rows * (len(values) - 1), 0, empty)
    if tuple(map(text.count, "\n\t\r\\")) != expected:
        text = _joined([_escaped(column) for column in values])
    return text + "\n"


def _joined(columns: Sequence[Column]) -> str:
    return "\n".join(map("\t".join, zip(*columns, strict=True)))


def _filled(column: Column) -> Column:
    return ["\\N" if cell is None else cell for cell in column] if None in column else column


def _escaped(column: Column) -> Column:
    return ["\\N" if cell is None else cell.translate(_ESCAPES) for cell in column]
