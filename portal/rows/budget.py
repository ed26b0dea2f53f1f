"""How much a transaction may still take, so that others need not wait long for the database."""

import time
from typing import Any

from sqlalchemy.orm import Session

from portal.rows.books import Pace


class Budget:
    """How much of the transaction of `session` is left."""

    def __init__(self, session: Session, pace: Pace) -> None:
        self._session = session
        self._pace = pace
        self._began = time.monotonic()
        self._changes = self._total_changes()

    def is_spent(self, rows: int) -> bool:
        """Whether no further row should be begun; each of `rows` still gets its entry."""
        pace = self._pace
        if pace.seconds is not None and time.monotonic() - self._began >= pace.seconds:
            return True
        changes = self._total_changes() - self._changes + rows
        return pace.changes is not None and changes >= pace.changes

    def _total_changes(self) -> int:
        """What SQLite has counted, cascades and triggers included; elsewhere time is the limit."""
        driver: Any = self._session.connection().connection.dbapi_connection
        return getattr(driver, "total_changes", 0)
