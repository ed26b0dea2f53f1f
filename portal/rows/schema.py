"""The ledger's tables: the same ones stand in the portal's database and in that for tables."""

from dataclasses import dataclass

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy.schema import CreateSchema

from portal.db import NAMES, UtcDateTime, looking
from portal.rows.batch import BatchState, Outcome
from portal.rows.upgrading import add_options, allow_states

NUMBER = BigInteger().with_variant(Integer, "sqlite")
NULLABLE_JSON = JSON(none_as_null=True)
TABLES_SCHEMA = "_portal"
_LOCK = 4_718_286  # any number of our own: PostgreSQL's advisory lock for making the ledger


@dataclass(frozen=True, kw_only=True)
class LedgerTables:
    """The three tables of one ledger: batches, fates of rows, and what an undo had to keep."""

    batch: Table
    row: Table
    kept: Table

    @property
    def all(self) -> list[Table]:
        """All of them, those that others refer to first."""
        return [self.batch, self.row, self.kept]


def ledger_tables(
    metadata: MetaData,
    *,
    batch: str,
    row: str,
    kept: str,
    schema: str | None = None,
    checked: bool = True,
) -> LedgerTables:
    """Declare a ledger's tables in `metadata` under the names given.

    With `checked` the database looks for the batch of each fate. A server does not: whoever writes
    fates holds the batch's own row by the fence, and the look would take a quarter of its time.
    """
    batches = Table(batch, metadata, *_batch_columns(), schema=schema, sqlite_autoincrement=True)
    Index(None, batches.c.kind, batches.c.created_at)
    Index(None, batches.c.job_id)
    of_batch = _of(batches) if checked else Column("batch", NUMBER, primary_key=True)
    rows = Table(row, metadata, of_batch, *_row_columns(), schema=schema)
    Index(None, rows.c.batch, rows.c.outcome, rows.c.first_row)
    remains = Table(kept, metadata, _of(batches), *_kept_columns(), schema=schema)
    return LedgerTables(batch=batches, row=rows, kept=remains)


def tables_ledger(engine: Engine) -> LedgerTables:
    """The ledger in the database for tables: on PostgreSQL in a schema of its own."""
    return _IN_SCHEMA if engine.dialect.name == "postgresql" else _WITHOUT_SCHEMA


def make_tables_ledger(engine: Engine) -> None:
    """Make the ledger in the database for tables where it is not there yet; one at a time.

    One that an older version made is brought to what this one expects.
    """
    ledger = tables_ledger(engine)
    if _is_there(engine, ledger):
        return
    with engine.begin() as connection:  # on SQLite this is BEGIN IMMEDIATE, the lock itself
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            connection.execute(CreateSchema(TABLES_SCHEMA, if_not_exists=True))
        ledger.batch.metadata.create_all(connection)
        if not _has_options(connection, ledger):
            _bring_up(connection, ledger)


def _is_there(engine: Engine, ledger: LedgerTables) -> bool:
    """Whether the ledger was made; asked without a lock, for that is nearly always so."""
    with looking(engine).connect() as connection:
        made = inspect(connection).has_table(ledger.kept.name, schema=ledger.kept.schema)
        return made and _has_options(connection, ledger)


def _has_options(connection: Connection, ledger: LedgerTables) -> bool:
    table = ledger.batch
    columns = inspect(connection).get_columns(table.name, schema=table.schema)
    return any(column["name"] == "options" for column in columns)


def _bring_up(connection: Connection, ledger: LedgerTables) -> None:
    table = ledger.batch
    add_options(connection, table=table.name, schema=table.schema)
    allow_states(
        connection,
        table=table.name,
        check=f"ck_{table.name}_known_state",
        states=BatchState,
        schema=table.schema,
    )


def _batch_columns() -> list[Column[object] | CheckConstraint]:
    states = ", ".join(f"'{state}'" for state in BatchState)
    counts: list[Column[object]] = [
        Column(str(outcome), Integer, nullable=False, default=0) for outcome in Outcome
    ]
    return [
        Column("number", NUMBER, primary_key=True),
        Column("id", String(32), nullable=False, unique=True),
        Column("kind", String(64), nullable=False),
        Column("processor", String(255), nullable=False),
        Column("mode", String(16), nullable=False),
        Column("store", String(16), nullable=False),
        Column("dry_run", Boolean, nullable=False),
        Column("reason", String(64), nullable=False),
        Column("owner", String(255), nullable=False),
        Column("file_path", String(4096), nullable=False),
        Column("file_name", String(1024), nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("format", JSON, nullable=False),
        Column("columns", JSON, nullable=False),
        Column("options", JSON, nullable=False, default=dict, server_default=text("'{}'")),
        Column("state", String(16), nullable=False),
        Column("token", Integer, nullable=False, default=0),
        Column("attempt", Integer, nullable=False, default=1),
        Column("next_row", BigInteger, nullable=False, default=1),
        Column("total", BigInteger),
        *counts,
        Column("retry_rows", NULLABLE_JSON),
        Column("retry_next", BigInteger, nullable=False, default=1),
        Column("backup_bytes", BigInteger, nullable=False, default=0),
        Column("undo_next", BigInteger),
        Column("undone", Integer, nullable=False, default=0),
        Column("kept", Integer, nullable=False, default=0),
        Column("pause_asked", Boolean, nullable=False, default=False),
        Column("job_id", String(32)),
        Column("actor_id", Integer),
        Column("actor_name", String(128), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("started_at", UtcDateTime),
        Column("ended_at", UtcDateTime),
        Column("forgotten_at", UtcDateTime),
        CheckConstraint(f"state IN ({states})", name="known_state"),
    ]


def _row_columns() -> list[Column[object] | CheckConstraint]:
    outcomes = ", ".join(f"'{outcome}'" for outcome in Outcome)
    return [
        Column("first_row", BigInteger, primary_key=True, autoincrement=False),
        Column("last_row", BigInteger, nullable=False),
        Column("line", BigInteger),
        Column("outcome", String(16), nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("cells", NULLABLE_JSON),
        Column("edited", NULLABLE_JSON),
        Column("errors", NULLABLE_JSON),
        Column("record_key", Text, nullable=False, default=""),
        Column("before", NULLABLE_JSON),
        Column("after", NULLABLE_JSON),
        Column("after_hash", LargeBinary),
        Column("skip_reason", Text, nullable=False, default=""),
        CheckConstraint(f"outcome IN ({outcomes})", name="known_outcome"),
        CheckConstraint("first_row <= last_row", name="in_order"),
    ]


def _kept_columns() -> list[Column[object]]:
    return [
        Column("row_number", BigInteger, primary_key=True, autoincrement=False),
        Column("record_key", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("image", NULLABLE_JSON),
    ]


def _of(batches: Table) -> Column[object]:
    target = ForeignKey(batches.c.number, ondelete="CASCADE")
    return Column("batch", NUMBER, target, primary_key=True)


def _tables_ledger(schema: str | None) -> LedgerTables:
    metadata = MetaData(naming_convention=NAMES)
    names = {"batch": "_portal_batch", "row": "_portal_row", "kept": "_portal_kept"}
    return ledger_tables(metadata, schema=schema, checked=schema is None, **names)


_IN_SCHEMA = _tables_ledger(TABLES_SCHEMA)
_WITHOUT_SCHEMA = _tables_ledger(None)
