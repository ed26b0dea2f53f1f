"""Bringing a ledger that an older version of Portal made to what this one expects."""

import re
from collections.abc import Iterable

from sqlalchemy import Connection, text

_STATES = re.compile(r"state IN \([^)]*\)")


def allow_states(
    connection: Connection,
    *,
    table: str,
    check: str,
    states: Iterable[str],
    schema: str | None = None,
) -> None:
    """Let the rule `check` of `table` allow exactly these states of batches."""
    names = ", ".join(f"'{state}'" for state in states)
    rule = f"state IN ({names})"
    if connection.dialect.name == "postgresql":
        place = f"{schema}.{table}" if schema else table
        connection.exec_driver_sql(f"ALTER TABLE {place} DROP CONSTRAINT {check}")
        connection.exec_driver_sql(f"ALTER TABLE {place} ADD CONSTRAINT {check} CHECK ({rule})")
    else:
        _change_sqlite(connection, table, rule)


def add_options(connection: Connection, *, table: str, schema: str | None = None) -> None:
    """Add the column of what else was ordered."""
    place = f"{schema}.{table}" if schema else table
    connection.exec_driver_sql(
        f"ALTER TABLE {place} ADD COLUMN options JSON DEFAULT '{{}}' NOT NULL"
    )


def _change_sqlite(connection: Connection, table: str, rule: str) -> None:
    """A table that others refer to is not made anew for a rule: its rows would take theirs along.

    The way is that of https://www.sqlite.org/lang_altertable.html#otheralter for changes that do
    not touch what is stored.
    """
    found = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    sql = connection.execute(found, {"table": table}).scalar_one()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"),
        {"sql": _STATES.sub(rule, sql), "table": table},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
