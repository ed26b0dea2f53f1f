"""The tables that there are, remembered until the database's schema changes."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Lock
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Engine, make_url

from portal.db import reading
from portal.errors import NotFoundError
from portal.runtime import Runtime
from portal.tables.reflection import reflect, schema_version
from portal.tables.shapes import TableShape

LOOK_SECONDS = 1.0


class Catalog:
    """The tables of one database. It looks at most once a second whether they changed."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = ref(engine)  # the catalogs below must not keep engines alive
        self._clock = clock
        self._lock = Lock()
        self._tables: dict[str, TableShape] = {}
        self._version: str | None = None
        self._looked_at = 0.0

    def tables(self) -> dict[str, TableShape]:
        """All tables by name, in order of their names."""
        with self._lock:
            if self._version is None or self._clock() - self._looked_at >= LOOK_SECONDS:
                self._look()
            return self._tables

    def refresh(self) -> None:
        """Look again at once, for who has just changed a table."""
        with self._lock:
            self._version = None

    def find(self, name: str) -> TableShape | None:
        """The table called `name`, or None."""
        return self.tables().get(name)

    def get(self, name: str) -> TableShape:
        """The table called `name`; raises NotFoundError."""
        found = self.find(name)
        if found is None:
            raise NotFoundError(f"Table does not exist: {name}")
        return found

    def _look(self) -> None:
        engine = self._engine()
        if engine is None:
            raise RuntimeError("the tables database was closed")
        with reading(engine).connect() as connection:
            version = schema_version(connection)
            if version != self._version:
                self._tables = reflect(connection)
                self._version = version
        self._looked_at = self._clock()


def checkpoint_tables(runtime: Runtime) -> None:
    """Bring SQLite's write-ahead log back into the tables' file, once there is one."""
    url = make_url(runtime.settings.tables)
    if url.get_backend_name() == "sqlite" and Path(url.database or "").exists():
        with closing(runtime.tables.raw_connection()) as connection:
            # Without waiting: one import may write for minutes, and who calls has more to do.
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")


_catalogs: WeakKeyDictionary[Engine, Catalog] = WeakKeyDictionary()


def catalog_of(runtime: Runtime) -> Catalog:
    """The catalog of this process's tables database."""
    return _catalogs.setdefault(runtime.tables, Catalog(runtime.tables))
