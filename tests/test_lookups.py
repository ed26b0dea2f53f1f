"""A look-up that is asked all the time: kept connections, and what happens when one breaks."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, DateTime, MetaData, String, Table, bindparam, literal, select, text
from sqlalchemy.exc import OperationalError

from portal.db import UtcDateTime
from portal.lookups import LookUp
from portal.runtime import Runtime

INSTANT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
ECHO = select(
    (literal(INSTANT, UtcDateTime()) == bindparam("at", type_=UtcDateTime())).label("same")
)
MISSING = select(
    Table("missing", MetaData(), Column("name", String), Column("at", DateTime)).c.name
)


def test_values_are_given_as_the_columns_keep_them(runtime: Runtime) -> None:
    assert LookUp(runtime.engine, ECHO).first(at=INSTANT) == (True,)


def test_no_row_is_none(runtime: Runtime) -> None:
    nothing = ECHO.where(bindparam("at", type_=UtcDateTime()).is_(None))
    assert LookUp(runtime.engine, nothing).first(at=INSTANT) is None


def test_a_broken_connection_is_replaced_once(runtime: Runtime) -> None:
    look_up = LookUp(runtime.engine, ECHO)
    look_up.first(at=INSTANT)
    break_kept(look_up, runtime)
    assert look_up.first(at=INSTANT) == (True,)


def test_a_statement_the_database_refuses_is_an_error_of_the_database(runtime: Runtime) -> None:
    with pytest.raises(OperationalError):
        LookUp(runtime.engine, MISSING).first()


def test_many_threads_ask_at_once(runtime: Runtime) -> None:
    look_up, answers = LookUp(runtime.engine, ECHO), []

    def ask() -> None:
        answers.extend(look_up.first(at=INSTANT) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(True,)] * 600


def test_a_kept_connection_holds_no_transaction(runtime: Runtime) -> None:
    look_up = LookUp(runtime.engine, ECHO)
    look_up.first(at=INSTANT)
    if runtime.engine.dialect.name == "postgresql":
        idle = text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'")
        with runtime.reads() as session:
            assert session.scalar(idle) == 0
    else:
        with runtime.engine.connect() as connection:  # fails where a reader holds the log
            busy = connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            assert busy.fetchone()[0] == 0


def break_kept(look_up: LookUp, runtime: Runtime) -> None:
    """As a restarted server leaves it: closed at the other end, or by nobody's wish here."""
    if runtime.engine.dialect.name == "postgresql":
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        with runtime.sessions.begin() as session:
            session.execute(
                text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            )
    else:
        look_up._kept.connection.connection.dbapi_connection.close()
