"""Making a new table in the tables database."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Identity,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    inspect,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

from portal.db import reading
from portal.errors import ConflictError, InvalidError
from portal.runtime import Runtime
from portal.tables.catalog import catalog_of
from portal.tables.new_tables import ColumnKind, NewColumn, NewTable, taken_text
from portal.tables.shapes import Made, TableShape


def taken_names(runtime: Runtime) -> frozenset[str]:
    """What tables and views of the tables database are called, in small letters."""
    with reading(runtime.tables).connect() as connection:
        found = inspect(connection)
        names = [*found.get_table_names(), *found.get_view_names()]
    return frozenset(name.lower() for name in names)


def create_table(runtime: Runtime, new: NewTable) -> None:
    """Make the table. Raises ConflictError where one of its name is there, else InvalidError."""
    dialect = runtime.tables.dialect.name
    with runtime.tables.begin() as connection:
        if inspect(connection).has_table(new.name):
            raise ConflictError(taken_text(new.name))
        _create(connection, new, dialect)
    catalog_of(runtime).refresh()


def is_made_of(shape: TableShape, new: NewTable) -> bool:
    """Say whether a table that is there looks as `new` would."""
    names = tuple(column.name for column in new.columns)
    given = tuple(column.name for column in shape.columns if column.name != new.numbered)
    counted = {column.name for column in shape.columns if column.made is Made.BY_COUNTER}
    return (given, shape.primary_key, counted) == (
        names,
        new.key,
        {new.numbered} - {""},
    )


def _create(connection: Connection, new: NewTable, dialect: str) -> None:
    columns = [_column(column, dialect) for column in new.columns]
    if new.numbered:
        counter = BigInteger().with_variant(Integer, "sqlite")
        columns.insert(0, Column(new.numbered, counter, Identity(always=False), primary_key=True))
    try:
        connection.execute(CreateTable(Table(new.name, MetaData(), *columns)))
    except DBAPIError as error:
        said = str(error.orig).strip().split("\n")[0]
        raise InvalidError(f"The database would not make the table: {said}") from error


def _column(column: NewColumn, dialect: str) -> Column[Any]:
    return Column(
        column.name,
        _type(column, dialect),
        primary_key=column.key,
        nullable=not (column.key or column.required),
        autoincrement=False,
    )


def _type(column: NewColumn, dialect: str) -> TypeEngine[Any]:
    if column.kind is ColumnKind.DECIMAL:
        return Numeric(column.digits, column.scale)
    zoned = column.kind is ColumnKind.MOMENT and dialect == "postgresql"
    return DateTime(timezone=zoned) if column.kind in _MOMENTS else _TYPES[column.kind]


_MOMENTS = (ColumnKind.DATETIME, ColumnKind.MOMENT)
_TYPES: Final[Mapping[ColumnKind, TypeEngine[Any]]] = {
    ColumnKind.TEXT: Text(),
    ColumnKind.INTEGER: BigInteger(),
    ColumnKind.BOOLEAN: Boolean(),
    ColumnKind.DATE: Date(),
}
