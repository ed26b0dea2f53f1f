"""Two small tables to look around in, as part of the example content."""

from datetime import date
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    insert,
    inspect,
)

from portal.accounts.permissions import Actor, Permission
from portal.errors import ForbiddenError
from portal.runtime import Runtime
from portal.tables.actions import OF_OUR_OWN
from portal.tables.catalog import catalog_of
from portal.tables.grants import set_grants

_METADATA = MetaData()
OFFICES = Table(
    "example_office",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("code", String(8), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("city", String(80), nullable=False),
)
RECORDS = Table(
    "example_record",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), nullable=False, unique=True),
    Column("office_id", Integer, ForeignKey("example_office.id"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("received", Date),
    Column("fee", Numeric(8, 2)),
    Column("copies", Integer, nullable=False, server_default="1"),
    Column("state", String(10), nullable=False, server_default="open"),
    CheckConstraint("state IN ('open', 'copied', 'closed')", name="known_state"),
)
_OFFICES = (
    ("N", "Northern office", "Husum"),
    ("S", "Southern office", "Lindau"),
    ("W", "Western office", "Aachen"),
)
_TITLES = ("Birth", "Marriage", "Change of address", "Certificate of good conduct")
_STATES = ("open", "copied", "closed")


def load_tables(runtime: Runtime, actor: Actor) -> tuple[str, ...]:
    """Make the example's tables where they are not there yet; returns the names of all of them.

    Tables that are there stay as they are. Raises ForbiddenError.
    """
    if not actor.may(Permission.TABLES_GRANT):
        raise ForbiddenError("Only an administrator may make the tables of the example.")
    names = tuple(table.name for table in _METADATA.sorted_tables)
    with runtime.tables.begin() as connection:
        there = set(inspect(connection).get_table_names())
        missing = [table for table in _METADATA.sorted_tables if table.name not in there]
        _METADATA.create_all(connection, tables=missing)
        for table in missing:
            connection.execute(insert(table), list(_ROWS[table.name]))
    catalog_of(runtime).refresh()
    with runtime.sessions.begin() as session:
        for table in missing:
            set_grants(
                session,
                settings=runtime.settings,
                actor=actor,
                table=table.name,
                grants=OF_OUR_OWN,
                now=runtime.clock(),
            )
    return names


_ROWS: dict[str, list[dict[str, object]]] = {
    OFFICES.name: [{"code": code, "name": name, "city": city} for code, name, city in _OFFICES],
    RECORDS.name: [
        {
            "number": f"2026-{number:04}",
            "office_id": number % len(_OFFICES) + 1,
            "title": f"{_TITLES[number % len(_TITLES)]} {number}",
            "received": date(2026, 1 + number % 12, 1 + number),
            "fee": Decimal(number * 5) + Decimal("0.50"),
            "copies": 1 + number % 3,
            "state": _STATES[number % len(_STATES)],
        }
        for number in range(1, 25)
    ],
}
