"""The database room: the declarative Base, UTC times, the database's clock, engines, pragmas."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Executable,
    MetaData,
    create_engine,
    event,
    literal,
)
from sqlalchemy.dialects.sqlite import DATETIME as SQLITE_DATETIME
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.orm import registry as Registry  # noqa: N812 (a class, whatever its name)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

BUSY_TIMEOUT_MS = 30_000
IDLE_SECONDS = 20
# A server that vanished without a word is given up after half a minute (libpq's names).
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


# What a query can be asked of: a session, or a bare connection where every microsecond counts.
Reader: TypeAlias = Session | Connection


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Python sees it in UTC; SQLite keeps it naive, PostgreSQL with its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite's text form with microseconds compares like the instant it stands for."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(SQLITE_DATETIME())  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: nobody could say which instant it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (SQLAlchemy's signature)
    ) -> datetime | None:
        """Give the instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every model inherits, for the sessions of requests and of workers alike."""

    # On the registry, not on the class: Flask-SQLAlchemy copies the class's own attributes.
    registry = Registry(
        metadata=MetaData(naming_convention=NAMES), type_annotation_map={datetime: UtcDateTime}
    )


class _DbNow(FunctionElement[datetime]):
    name = "db_now"
    type = UtcDateTime()
    inherit_cache = True


def db_now(seconds: float = 0.0) -> ColumnElement[datetime]:
    """The database's clock plus `seconds`, as an SQL expression; leases know no other clock."""
    return _DbNow(literal(float(seconds)))


@compiles(_DbNow, "sqlite")
def _sqlite_now(element: _DbNow, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"


@compiles(_DbNow, "postgresql")
def _postgresql_now(element: _DbNow, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + make_interval(secs => {seconds}))"


def open_engine(url: str) -> Engine:
    """Return an engine for `url` with Portal's transaction rules; it connects when first used."""
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    return engine


def engine_options(url: str) -> dict[str, Any]:
    """The keywords that `create_engine` gets for `url`. No fault tells the values of a statement.

    They are people's, and a traceback is kept and shown.
    """
    if url.startswith("sqlite"):
        known = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
        return {"hide_parameters": True, "connect_args": known}
    return {"hide_parameters": True, "pool_pre_ping": True, "connect_args": dict(PATIENCE)}


def prepare(engine: Engine) -> None:
    """Give `engine` its transaction rules: SQLite's pragmas and BEGINs, PostgreSQL's time limit."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "begin", _limit_idling)


def reading(engine: Engine) -> Engine:
    """The same pool for transactions that only read: on SQLite they take no write lock."""
    return engine.execution_options(read_only=True)


def looking(engine: Engine) -> Engine:
    """The same pool for single look-ups: on SQLite each statement stands alone, without a BEGIN."""
    return engine.execution_options(read_only=True, alone=True)


def open_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions outside of requests; `with sessions.begin() as session` commits at its end."""
    return sessionmaker(engine, expire_on_commit=False)


def changed(session: Session, statement: Executable) -> int:
    """Execute an UPDATE or DELETE and return how many rows it met."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def checkpoint(engine: Engine) -> None:
    """Bring SQLite's write-ahead log back into the database file; elsewhere there is none."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:  # no checkpoint in a transaction
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """WAL; every commit survives a power cut; checkpoints are left to the reconciler's process.

    One checkpointing process is SQLite's own work-around for its WAL-reset fault before 3.51.3
    (sqlite.org/wal.html#walresetbug).
    """
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "wal_autocheckpoint=0",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _limit_idling(connection: Connection) -> None:
    """A process that freezes while it writes must not hold its locks for ever."""
    if not connection.get_execution_options().get("read_only"):
        limit = f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
        connection.exec_driver_sql(limit)


def _begin(connection: Connection) -> None:
    """Writers take the lock at once, so that no read is upgraded into a deadlock."""
    options = connection.get_execution_options()
    if not options.get("alone"):
        connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")
