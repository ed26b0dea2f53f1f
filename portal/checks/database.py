"""The database: does it answer and take writes, has it our schema, and does it know the time?"""

from collections.abc import Iterator

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portal.backups.sqlite import database_file
from portal.checks.finding import Finding, error, not_running
from portal.db import db_now
from portal.jobs.models import Leadership
from portal.migrations.run import knows_schema, schema_is_current, schema_of
from portal.runtime import Runtime
from portal.settings import Settings

SKEW_SECONDS = 5.0


def check_database(runtime: Runtime) -> Iterator[Finding]:
    """Findings about Portal's own database; with one of them, rows are better not asked for."""
    missing = _no_file(runtime.settings)
    if missing is not None:
        yield missing
        return
    try:
        schema = schema_of(runtime.engine)
    except SQLAlchemyError as fault:
        yield error(
            f"The database does not answer: {_driver_words(fault)}.",
            "Start it, or correct PORTAL_DATABASE_URL.",
        )
        return
    if schema is None:
        yield not_running("The database is empty.", "`portal up` makes its tables.")
    elif not schema_is_current(runtime.engine):
        yield _other_schema(schema)
    else:
        yield from _writable(runtime)
        yield from _clock(runtime)


def _no_file(settings: Settings) -> Finding | None:
    if not settings.database.startswith("sqlite") or database_file(settings.database).exists():
        return None
    return not_running(
        f"There is no database {database_file(settings.database)} yet.", "`portal up` makes it."
    )


def _other_schema(schema: str) -> Finding:
    if knows_schema(schema):
        return error(
            "The database is of an older version of Portal.",
            "Make a backup, then restart `portal up`: it brings the database up to date.",
        )
    return error(
        f"The database is of a newer version of Portal (schema {schema}).",
        "Install that version, or restore a backup of this one.",
    )


def _writable(runtime: Runtime) -> Iterator[Finding]:
    nothing = update(Leadership).where(Leadership.name == "").values(holder="")
    try:
        with runtime.sessions() as session:
            session.execute(nothing)
            session.rollback()
    except DBAPIError as fault:
        yield error(
            f"The database takes no changes: {_driver_words(fault)}.",
            "Look whether it is a read-only copy, its disk is full, or its file belongs to "
            "another user.",
        )


def _clock(runtime: Runtime) -> Iterator[Finding]:
    with runtime.reads() as session:
        theirs = session.scalar(select(db_now()))
    ours = runtime.clock()
    away = abs((theirs - ours).total_seconds()) if theirs else 0.0
    if away > SKEW_SECONDS:
        yield error(
            f"The clocks of this machine and of the database differ by {away:,.0f} seconds.",
            "Let both machines set their clocks by the network (NTP).",
        )


def _driver_words(fault: SQLAlchemyError) -> str:
    original = getattr(fault, "orig", None)
    return " ".join(str(original or fault).split()).rstrip(".")
