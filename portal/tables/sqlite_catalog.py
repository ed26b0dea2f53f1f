"""What SQLite knows of its tables besides what SQLAlchemy asks it: declared types, uniques, checks.

Sources: sqlite.org/pragma.html, sqlite.org/rowidtable.html.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from portal.tables.quoting import quoted
from portal.tables.shapes import Check, Unique

_WITHOUT_ROWID = re.compile(r"\)[^)'\"]*\bwithout\s+rowid\b[^)'\"]*$", re.IGNORECASE)
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|\w+|\S", re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class SqliteFacts:
    """What the catalog says of one table. `counted` is the column that is SQLite's rowid."""

    declared: dict[str, str]
    uniques: tuple[Unique, ...]
    checks: tuple[Check, ...]
    counted: str | None


def facts_of(connection: Connection, table: str) -> SqliteFacts:
    """The facts of `table`."""
    rows = _pragma(connection, "table_xinfo", table)
    sql = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    return SqliteFacts(
        declared={row.name: row.type for row in rows},
        uniques=tuple(_uniques(connection, table)),
        checks=tuple(checks_in(sql)),
        counted=None if _WITHOUT_ROWID.search(sql) else _rowid(rows),
    )


def schema_version(connection: Connection) -> str:
    """Something that changes whenever a table does."""
    return str(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())


def checks_in(sql: str) -> Iterator[Check]:
    """The CHECK clauses of a CREATE TABLE, with their names where they have one."""
    tokens = list(_TOKEN.finditer(sql))
    words = [token.group() for token in tokens]
    for place, word in enumerate(words):
        if word.lower() != "check" or words[place + 1 : place + 2] != ["("]:
            continue
        end = _closing(words, place + 1)
        if end is not None:
            named = place > 1 and words[place - 2].lower() == "constraint"
            inside = sql[tokens[place + 1].end() : tokens[end].start()]
            yield Check(name=_bare(words[place - 1]) if named else "", sql=inside.strip())


def _closing(words: list[str], opening: int) -> int | None:
    depth = 0
    for place in range(opening, len(words)):
        depth += {"(": 1, ")": -1}.get(words[place], 0)
        if depth == 0:
            return place
    return None


def _bare(name: str) -> str:
    if name[0] in "\"'`":
        return name[1:-1].replace(name[0] * 2, name[0])
    return name.strip("[]")


def _uniques(connection: Connection, table: str) -> Iterator[Unique]:
    """Unique constraints and indexes that hold for all rows and for columns, not expressions."""
    for index in sorted(_pragma(connection, "index_list", table), key=lambda row: -row.seq):
        if not index.unique or index.partial or index.origin == "pk":
            continue
        columns = [row.name for row in _pragma(connection, "index_info", index.name)]
        if None not in columns:
            yield Unique(name=index.name, columns=tuple(columns))


def _rowid(rows: list) -> str | None:  # type: ignore[type-arg]  # rows of a pragma
    keys = [row for row in rows if row.pk]
    alone = len(keys) == 1 and keys[0].type.upper() == "INTEGER"
    return str(keys[0].name) if alone else None


def _pragma(connection: Connection, name: str, what: str) -> list:  # type: ignore[type-arg]
    return list(connection.exec_driver_sql(f"PRAGMA {name}({quoted(what)})").all())
