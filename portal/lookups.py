"""One SELECT that is asked with nearly every request, at the cost of the driver alone.

SQLAlchemy compiles it once; each thread keeps a connection of its own for it, without transactions.
"""

import threading
from typing import Any

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import OperationalError

PARAMETERS = {"sqlite": "named", "postgresql": "pyformat"}


class LookUp:
    """Finds the one row of `statement`, whose open values are bindparams with a type."""

    def __init__(self, engine: Engine, statement: Select[*tuple[Any, ...]]) -> None:
        style = PARAMETERS[engine.dialect.name]
        dialect = type(engine.dialect)(paramstyle=style)  # type: ignore[call-arg]
        compiled = statement.compile(dialect=dialect)
        self._engine = engine
        self._sql = str(compiled)
        self._constants = dict(compiled.params)
        types = {
            name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()
        }
        makers = {name: kind.bind_processor(dialect) for name, kind in types.items()}
        self._makers = {name: make for name, make in makers.items() if make is not None}
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._kept = threading.local()

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        """The row's columns as the driver gives them, or None.

        A connection that broke since it was used last is replaced once; then it raises
        OperationalError.
        """
        given = self._constants | values
        for name, make in self._makers.items():
            given[name] = make(given[name])
        try:
            return self._ask(given)
        except self._error:
            self._kept.connection = None
        try:
            return self._ask(given)
        except self._error as error:
            self._kept.connection = None
            raise OperationalError(self._sql, None, error) from error

    def _ask(self, given: dict[str, Any]) -> tuple[Any, ...] | None:
        connection: Connection | None = getattr(self._kept, "connection", None)
        if connection is None:
            connection = self._kept.connection = self._connect()
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, given)
            return cursor.fetchone()
        finally:
            cursor.close()

    def _connect(self) -> Connection:
        """A connection that no longer counts in the engine's pool and ends with its thread."""
        connection = self._engine.connect()
        if self._engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        return connection
