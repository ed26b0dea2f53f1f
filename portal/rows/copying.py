"""Adding rows to a table of PostgreSQL by COPY, on the connection of a session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def copy_in(session: Session, statement: str, packed: bytes) -> None:
    """Give `packed` to a COPY … FROM STDIN."""
    with driver_cursor(session) as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(packed)


@contextmanager
def driver_cursor(session: Session) -> Iterator[psycopg.Cursor[Any]]:
    """The driver's own cursor; its errors come out as SQLAlchemy's, like everybody's."""
    connection = session.connection()
    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        with raw.cursor() as cursor:
            yield cursor
    except psycopg.Error as error:
        wrapped = DBAPIError.instance(
            "COPY", None, error, psycopg.Error, dialect=connection.dialect
        )
        raise wrapped from error
