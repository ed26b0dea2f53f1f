"""Reading from the database what its tables look like. Portal's own tables there are not seen."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy.engine.reflection import Inspector, ObjectKind

from portal.errors import PortalError
from portal.tables import postgresql_catalog, sqlite_catalog
from portal.tables.shapes import Check, ColumnShape, ForeignKey, Made, TableShape, Unique

OWN_PREFIX = "_portal"
LONGEST_NAME = 150  # of tables; PostgreSQL's end at 63 bytes
_NEXT = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
_PORTALS_OWN = frozenset({"user_account", "sign_in_session", "audit_entry", "job"})


class WrongDatabaseError(PortalError):
    """The tables database is Portal's own one; nobody may import into that."""


def reflect(connection: Connection) -> dict[str, TableShape]:
    """All tables of the database (on PostgreSQL of the connection's schema), by name.

    Raises WrongDatabaseError where they are those of a portal.
    """
    inspector = inspect(connection)
    names = sorted(name for name in inspector.get_table_names() if not is_own(name))
    if set(names) >= _PORTALS_OWN:
        raise WrongDatabaseError(
            "PORTAL_TABLES_URL names the database of a portal. Give the tables one of their own."
        )
    if connection.dialect.name == "postgresql":
        return dict(_postgresql(connection, inspector, names))
    return {name: _sqlite(connection, inspector, name) for name in names}


def schema_version(connection: Connection) -> str:
    """Something that changes whenever a table does; cheap to ask for."""
    if connection.dialect.name == "postgresql":
        return postgresql_catalog.schema_version(connection)
    return sqlite_catalog.schema_version(connection)


def is_own(name: str) -> bool:
    """Say whether a table is one of Portal's or SQLite's own, or has no name to work with."""
    return name.lower().startswith((OWN_PREFIX, "sqlite_")) or len(name) > LONGEST_NAME


def _sqlite(connection: Connection, inspector: Inspector, name: str) -> TableShape:
    facts = sqlite_catalog.facts_of(connection, name)
    key = tuple(inspector.get_pk_constraint(name)["constrained_columns"])
    columns = [
        _column(
            column,
            declared=facts.declared[column["name"]],
            cast="",
            counter="" if column["name"] == facts.counted else None,
        )
        for column in inspector.get_columns(name)
    ]
    return TableShape(
        name=name,
        columns=tuple(_keys_are_filled(columns, (facts.counted,) if facts.counted else ())),
        primary_key=key,
        uniques=facts.uniques,
        checks=facts.checks,
        foreign_keys=tuple(_foreign_keys(inspector.get_foreign_keys(name), _key_of(inspector))),
    )


def _postgresql(
    connection: Connection, inspector: Inspector, names: Sequence[str]
) -> Iterator[tuple[str, TableShape]]:
    known = postgresql_catalog.columns_of(connection)
    asked: dict[str, Any] = {"kind": ObjectKind.TABLE, "filter_names": list(names)}
    columns = _by_name(inspector.get_multi_columns(**asked))
    keys = _by_name(inspector.get_multi_pk_constraint(**asked))
    indexes = _by_name(inspector.get_multi_indexes(**asked))
    checks = _by_name(inspector.get_multi_check_constraints(**asked))
    foreign = _by_name(inspector.get_multi_foreign_keys(**asked))
    comments = _by_name(inspector.get_multi_table_comment(**asked))
    for name in names:
        yield (
            name,
            TableShape(
                name=name,
                columns=tuple(
                    _column(
                        column,
                        declared=known[name, column["name"]].declared,
                        cast=known[name, column["name"]].cast,
                        counter=known[name, column["name"]].counter,
                    )
                    for column in columns[name]
                ),
                primary_key=tuple(keys[name]["constrained_columns"]),
                uniques=tuple(_uniques(indexes[name])),
                checks=tuple(Check(name=one["name"], sql=one["sqltext"]) for one in checks[name]),
                foreign_keys=tuple(_foreign_keys(foreign[name], _key_of(inspector))),
                comment=comments[name]["text"] or "",
            ),
        )


def _key_of(inspector: Inspector) -> Callable[[str], Sequence[str]]:
    """A function that tells the primary key of a table."""
    return lambda table: inspector.get_pk_constraint(table)["constrained_columns"]


def _by_name(found: Mapping[Any, Any]) -> dict[str, Any]:
    """Without the schema, which is always the connection's own."""
    return {name: value for (_schema, name), value in found.items()}


def _column(
    column: Mapping[str, Any], *, declared: str, cast: str, counter: str | None
) -> ColumnShape:
    return ColumnShape(
        name=column["name"],
        type=column["type"],
        declared=declared,
        cast=cast,
        nullable=bool(column["nullable"]),
        made=_made(column, counter),
        default=column.get("default"),
        counter=counter or _sequence(column.get("default")),
        comment=column.get("comment") or "",
    )


def _made(column: Mapping[str, Any], counter: str | None) -> Made:
    if column.get("computed"):
        return Made.BY_FORMULA
    default = str(column.get("default") or "")
    if counter is not None or column.get("identity") or default.startswith("nextval("):
        return Made.BY_COUNTER
    return Made.BY_DEFAULT if default else Made.BY_NOBODY


def _sequence(default: str | None) -> str | None:
    """The sequence that a default takes its numbers from, as it is written there."""
    found = _NEXT.match(default or "")
    return found[1].replace("''", "'") if found else None


def _keys_are_filled(
    columns: Sequence[ColumnShape], counted: tuple[str, ...]
) -> Iterator[ColumnShape]:
    """SQLite calls its rowid nullable; it is filled by itself."""
    for column in columns:
        yield replace(column, nullable=False) if column.name in counted else column


def _uniques(indexes: Sequence[Mapping[str, Any]]) -> Iterator[Unique]:
    for index in indexes:
        partial = index.get("dialect_options", {}).get("postgresql_where")
        if index["unique"] and not partial and None not in index["column_names"]:
            yield Unique(name=index["name"], columns=tuple(index["column_names"]))


def _foreign_keys(
    found: Sequence[Mapping[str, Any]], key: Callable[[str], Sequence[str]]
) -> Iterator[ForeignKey]:
    """Those into the same schema; SQLite leaves out the target's columns where they are its key."""
    for one in found:
        if one.get("referred_schema") or is_own(one["referred_table"]):
            continue
        yield ForeignKey(
            name=one.get("name") or "",
            columns=tuple(one["constrained_columns"]),
            table=one["referred_table"],
            targets=tuple(one["referred_columns"] or key(one["referred_table"])),
            deferrable=bool(one.get("options", {}).get("deferrable")),
        )
