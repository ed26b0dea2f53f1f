"""The tables in backups, in `portal check` and in the example."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.backup import restore_backup, write_backup
from portal.backups.archive import BackupError, verify
from portal.check import run
from portal.checks.finding import Finding, Level
from portal.errors import ForbiddenError
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.actions import OF_OUR_OWN
from portal.tables.catalog import catalog_of, checkpoint_tables
from portal.tables.example import RECORDS, load_tables
from portal.tables.grants import granted_for
from tests.servers import Postgres
from tests.tables.conftest import Execute, Rows


@pytest.fixture
def empty_place(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, settings: Settings
) -> Iterator[Settings]:
    """Settings of a portal that is not there yet, with the same kind of database."""
    data = tmp_path / "restored"
    if database.startswith("sqlite"):
        yield settings.model_copy(update={"data": data, "database_url": ""})
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    name = cluster.create()
    update = {"data": data, "database_url": cluster.url(name), "tables_url": ""}
    yield settings.model_copy(update=update)
    cluster.drop(name)


def rows_in(settings: Settings, table: str) -> int:
    runtime = Runtime.open(settings)
    with runtime.tables.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    runtime.close()
    return int(found)


def found(settings: Settings, words: str) -> list[Finding]:
    return [finding for finding in run(settings) if words in finding.sentence]


def test_tables_of_sqlite_go_along_and_come_back(
    filled: None, runtime: Runtime, empty_place: Settings, tmp_path: Path
) -> None:
    backup = tmp_path / "portal.tar"
    write_backup(runtime.settings, backup)
    ours = not runtime.settings.tables_url
    assert ("tables/tables.sqlite" in verify(backup).members) is ours
    restore_backup(empty_place, backup)
    assert (empty_place.data / "tables.sqlite").exists() is ours
    if ours:
        assert rows_in(empty_place, "record") == 120


def test_tables_of_sqlite_are_not_restored_over_others(
    execute: Execute,
    make_settings: Callable[..., Settings],
    runtime: Runtime,
    empty_place: Settings,
    tmp_path: Path,
) -> None:
    apart = make_settings(tables_url=f"sqlite:///{tmp_path / 'apart.sqlite'}")
    there = Runtime.open(apart)
    with there.tables.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer PRIMARY KEY)")
    there.close()
    write_backup(apart, tmp_path / "portal.tar")
    used = empty_place.model_copy(update={"tables_url": apart.tables_url})
    with pytest.raises(BackupError, match="already"):
        restore_backup(used, tmp_path / "portal.tar")
    elsewhere = empty_place.model_copy(update={"tables_url": "postgresql://nobody@/nowhere"})
    with pytest.raises(BackupError, match="PORTAL_TABLES_URL"):
        restore_backup(elsewhere, tmp_path / "portal.tar")
    assert not empty_place.data.exists()


def test_sound_tables_give_no_findings(filled: None, settings: Settings) -> None:
    assert [*found(settings, "tables database"), *found(settings, "without a key")] == []


def test_tables_without_a_key_are_named(execute: Execute, settings: Settings) -> None:
    execute("CREATE TABLE loose (a integer)")
    (finding,) = found(settings, "without a key")
    assert (finding.level, "loose" in finding.sentence) == (Level.ADVICE, True)


def test_the_portals_own_database_is_no_tables_database(
    runtime: Runtime, make_settings: Callable[..., Settings], database: str
) -> None:
    (finding,) = found(make_settings(tables_url=database), "that of a portal")
    assert finding.level is Level.ERROR


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody@/nowhere?host=/nonexistent", "does not answer"),
        ("sqlite:////nonexistent/tables.sqlite", "does not exist"),
    ],
)
def test_tables_that_cannot_be_reached_are_an_error(
    runtime: Runtime, make_settings: Callable[..., Settings], url: str, words: str
) -> None:
    (finding,) = found(make_settings(tables_url=url), words)
    assert finding.level is Level.ERROR


def test_the_example_makes_two_tables_that_fit_together(runtime: Runtime, rows_of: Rows) -> None:
    assert load_tables(runtime, SYSTEM) == ("example_office", "example_record")
    joined = "SELECT count(*) FROM example_record r JOIN example_office o ON o.id = r.office_id"
    assert rows_of(joined) == [(24,)]
    with runtime.reads() as session:
        granted = granted_for(session, settings=runtime.settings, table="example_record")
    assert granted == OF_OUR_OWN


def test_making_the_example_again_keeps_what_people_changed(
    runtime: Runtime, execute: Execute, rows_of: Rows
) -> None:
    load_tables(runtime, SYSTEM)
    execute("DELETE FROM example_record WHERE copies = 1")
    before = rows_of("SELECT count(*) FROM example_record")
    load_tables(runtime, SYSTEM)
    assert rows_of("SELECT count(*) FROM example_record") == before


def test_a_row_can_be_added_to_the_example(runtime: Runtime) -> None:
    load_tables(runtime, SYSTEM)
    with runtime.tables.begin() as connection:
        values = {"number": "x", "office_id": 1, "title": "New"}
        connection.execute(RECORDS.insert().values(**values))
        row = connection.execute(select(RECORDS).where(RECORDS.c.number == "x")).one()
    assert (row.id, row.copies, row.state) == (25, 1, "open")


def test_only_administrators_make_the_example(runtime: Runtime) -> None:
    member = Actor(user_id=None, name="m", roles=frozenset({Role.MEMBER}))
    with pytest.raises(ForbiddenError):
        load_tables(runtime, member)


def test_the_log_of_the_tables_is_brought_back_into_their_file(
    filled: None, runtime: Runtime
) -> None:
    checkpoint_tables(runtime)
    assert catalog_of(runtime).find("record") is not None
