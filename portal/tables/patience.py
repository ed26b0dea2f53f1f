"""A time limit for what people ask of a table while they wait for a page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from portal.errors import InvalidError

SECONDS = 5.0
_STEPS = 20_000  # SQLite asks so often whether to go on; about every millisecond


class TooSlowError(InvalidError):
    """The database took too long; the message says what to ask instead."""


@contextmanager
def limited(connection: Connection, *, seconds: float = SECONDS) -> Iterator[None]:
    """Statements of `connection` in the block end after `seconds`; raises TooSlowError then."""
    is_sqlite = connection.dialect.name == "sqlite"
    raw = cast("Any", connection.connection.driver_connection)
    end = time.monotonic() + seconds
    if is_sqlite:
        raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    else:
        limit = f"{seconds * 1000:.0f}"
        connection.exec_driver_sql("SELECT set_config('statement_timeout', %s, true)", (limit,))
    try:
        yield
    except OperationalError as error:
        if time.monotonic() <= end and "timeout" not in str(error.orig):
            raise
        raise TooSlowError(
            "The table is too large to be searched or sorted this way while you wait. "
            "Sort by its key, or export it."
        ) from error
    finally:
        if is_sqlite:
            raw.set_progress_handler(None, _STEPS)
