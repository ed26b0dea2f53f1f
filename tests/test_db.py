"""The database room: instants, the database's clock, transactions, and the schema itself."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import DatabaseError, StatementError

from portal.db import db_now, open_engine
from portal.jobs.models import Leadership
from portal.migrations.metadata import METADATA
from portal.migrations.run import schema_is_current, schema_of, upgrade
from portal.runtime import Runtime
from portal.settings import Settings
from portal.web.extensions import session
from tests.servers import Postgres

WRITERS = 8
WRITES = 50


def store(runtime: Runtime, until: datetime, name: str = "x") -> None:
    with runtime.sessions.begin() as session:
        session.add(Leadership(name=name, holder="0", until=until))


def stored(runtime: Runtime, name: str = "x") -> Leadership:
    with runtime.reads() as session:
        return session.scalars(select(Leadership).where(Leadership.name == name)).one()


def pragma(engine: Engine, name: str) -> Any:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_an_instant_comes_back_in_utc_to_the_microsecond(runtime: Runtime) -> None:
    there = datetime(2026, 3, 29, 3, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    store(runtime, there)
    back = stored(runtime).until
    assert back == there
    assert back.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused(runtime: Runtime) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        store(runtime, datetime(2026, 1, 1))


def test_instants_are_ordered_as_they_happened_whatever_their_zone(runtime: Runtime) -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    store(runtime, noon.astimezone(timezone(timedelta(hours=9))), "second")
    store(runtime, (noon - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=-9))), "first")
    with runtime.reads() as session:
        names = session.scalars(select(Leadership.name).order_by(Leadership.until)).all()
    assert names == ["first", "second"]


def test_the_databases_clock_is_now(runtime: Runtime) -> None:
    with runtime.reads() as session:
        now = session.scalar(select(db_now()))
    assert now is not None
    assert abs(now - runtime.clock()) < timedelta(seconds=2)


@pytest.mark.parametrize("seconds", [-30.0, 0.25, 3600.0])
def test_the_databases_clock_can_be_moved(runtime: Runtime, seconds: float) -> None:
    with runtime.reads() as session:
        moved, now = session.execute(select(db_now(seconds), db_now())).one()
    assert abs((moved - now).total_seconds() - seconds) < 0.1


def test_the_databases_clock_goes_on_inside_a_transaction(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        first = session.scalar(select(db_now()))
        threading.Event().wait(0.01)
        second = session.scalar(select(db_now()))
    assert first is not None
    assert second is not None
    assert second > first


def test_a_stored_instant_compares_with_the_databases_clock(runtime: Runtime) -> None:
    store(runtime, runtime.clock() + timedelta(seconds=60), "later")
    store(runtime, runtime.clock() - timedelta(seconds=60), "earlier")
    with runtime.reads() as session:
        names = session.scalars(select(Leadership.name).where(Leadership.until < db_now())).all()
    assert names == ["earlier"]


def test_many_writers_wait_for_each_other_and_lose_nothing(settings: Settings) -> None:
    """Each reads, then writes what it read plus one; nobody is told that the database is locked."""
    _with_row(settings)
    faults: list[BaseException] = []
    start = threading.Barrier(WRITERS)

    def count() -> None:
        runtime = Runtime.open(settings)
        start.wait()
        try:
            for _ in range(WRITES):
                _count_one(runtime)
        except BaseException as fault:
            faults.append(fault)
        finally:
            runtime.close()

    threads = [threading.Thread(target=count) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert _holder(settings) == str(WRITERS * WRITES)


def test_a_reader_is_not_kept_waiting_by_a_writer(runtime: Runtime) -> None:
    store(runtime, runtime.clock())
    with runtime.sessions() as writer:
        writer.execute(update(Leadership).values(holder="changed"))
        assert stored(runtime).holder == "0"
        writer.rollback()


def test_a_writer_holds_the_lock_from_its_first_statement(sqlite_runtime: Runtime) -> None:
    with sqlite_runtime.sessions() as writer, _impatient(sqlite_runtime) as other:
        writer.execute(select(Leadership)).all()
        with pytest.raises(DatabaseError, match="locked"), other.begin():
            pass
        writer.rollback()


def test_a_reader_takes_no_lock(sqlite_runtime: Runtime) -> None:
    with sqlite_runtime.reads() as reader, _impatient(sqlite_runtime) as other:
        reader.execute(select(Leadership)).all()
        with other.begin():
            other.execute(update(Leadership).values(holder="changed"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("busy_timeout", 30_000),
        ("foreign_keys", 1),
        ("wal_autocheckpoint", 0),
    ],
)
def test_sqlite_is_set_up_for_many_processes_and_power_cuts(
    sqlite_runtime: Runtime, name: str, value: object
) -> None:
    assert pragma(sqlite_runtime.engine, name) == value


def test_the_migrated_schema_is_that_of_the_models(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_second_upgrade_changes_nothing(runtime: Runtime) -> None:
    before = schema_of(runtime.engine)
    upgrade(runtime.engine)
    assert schema_of(runtime.engine) == before
    assert schema_is_current(runtime.engine)


def test_an_older_schema_is_not_current(runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert not schema_is_current(runtime.engine)


def test_starters_at_the_same_time_migrate_one_after_the_other(empty_database: str) -> None:
    faults: list[BaseException] = []
    start = threading.Barrier(4)

    def migrate() -> None:
        engine = open_engine(empty_database)
        start.wait()
        try:
            upgrade(engine)
        except BaseException as fault:
            faults.append(fault)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.fixture
def sqlite_runtime(sqlite_template: Path, tmp_path: Path) -> Iterator[Runtime]:
    """A portal on SQLite, for what only SQLite has."""
    shutil.copy(sqlite_template, tmp_path / "only.sqlite")
    opened = Runtime.open(
        Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path / 'only.sqlite'}")
    )
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@contextmanager
def _impatient(runtime: Runtime) -> Iterator[Connection]:
    """A connection that does not wait for a lock."""
    with runtime.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA busy_timeout=0")
        yield connection


def _with_row(settings: Settings) -> None:
    runtime = Runtime.open(settings)
    store(runtime, runtime.clock())
    runtime.close()


def _count_one(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        row = session.scalars(select(Leadership).with_for_update()).one()
        row.holder = str(int(row.holder) + 1)


def _holder(settings: Settings) -> str:
    runtime = Runtime.open(settings)
    holder = stored(runtime).holder
    runtime.close()
    return holder


def test_a_fault_in_the_database_does_not_tell_what_was_to_be_written(runtime: Runtime) -> None:
    for engine in (runtime.engine, runtime.tables):
        with pytest.raises(DatabaseError) as fault, engine.begin() as connection:
            connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Otter Brown"})
        assert "Otter Brown" not in str(fault.value)


def test_a_fault_in_a_request_does_not_tell_it_either(app: Flask) -> None:
    with app.app_context(), pytest.raises(DatabaseError) as fault:
        session().execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Otter Brown"})
    assert "Otter Brown" not in str(fault.value)
