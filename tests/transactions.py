"""What every transaction of an engine wrote, and how long it worked while others had to wait."""

import gc
import time
from typing import Any

from sqlalchemy import Connection, Engine, event

MOST_ROWS = 500
MOST_SECONDS = 0.25


class Transactions:
    """Watches `engine` from now on; SQLite itself counts the rows, cascades included.

    Seconds are those of the processor: a loaded machine does not make a transaction longer, nor
    does the collector, which need not walk what earlier tests left.
    """

    def __init__(self, engine: Engine) -> None:
        gc.collect()
        gc.freeze()
        self.rows: list[int] = []
        self.seconds: list[float] = []
        self._open: dict[int, tuple[int, float]] = {}
        self._counted: dict[int, int] = {}
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._commit)
        event.listen(engine, "after_cursor_execute", self._count)

    def assert_short(self) -> None:
        """At most 500 rows, and a quarter of a second."""
        assert 0 < max(self.rows) <= MOST_ROWS
        assert max(self.seconds) <= MOST_SECONDS

    def _begin(self, connection: Connection) -> None:
        self._counted[id(connection)] = 0
        self._open[id(connection)] = (self._written(connection), time.thread_time())

    def _commit(self, connection: Connection) -> None:
        rows, began = self._open.pop(id(connection))
        self.rows.append(self._written(connection) - rows)
        self.seconds.append(time.thread_time() - began)

    def _count(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self._counted[id(connection)] += max(cursor.rowcount, 0)

    def _written(self, connection: Connection) -> int:
        if connection.dialect.name == "sqlite":
            changes: int = connection.connection.dbapi_connection.total_changes  # type: ignore[union-attr]
            return changes
        return self._counted[id(connection)]
