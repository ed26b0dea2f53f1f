"""Bring the database to the schema of this version, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

_LOCK = 4_718_285  # any number of our own: PostgreSQL's advisory lock for migrations


def upgrade(engine: Engine) -> None:
    """Migrate to the newest schema in one transaction; a second caller waits for the first."""
    with _locked(engine) as connection:
        command.upgrade(_config(connection), "head")


def schema_is_current(engine: Engine) -> bool:
    """Say whether the database has the schema that this version of Portal expects."""
    return schema_of(engine) == ScriptDirectory.from_config(_config(None)).get_current_head()


def schema_of(engine: Engine) -> str | None:
    """The name of the schema that the database has; None where it has none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def knows_schema(revision: str) -> bool:
    """Say whether this version of Portal can migrate forward from the schema called so."""
    known = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return any(script.revision == revision for script in known)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:  # on SQLite this is BEGIN IMMEDIATE, the lock itself
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
