"""The seed "Async Processing" of table imports, walked in its own order on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, select, text

from portal.accounts.permissions import SYSTEM
from portal.assembly import KINDS, processors_for
from portal.imports.commands import imports
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.catalog import catalog_of
from tests.datacenter.shell import Shell
from tests.servers import Postgres

TRUNK = """CREATE TABLE trunk (
    id integer NOT NULL DEFAULT nextval('trunk_seq'),
    code integer NOT NULL,
    CONSTRAINT trunk_uk UNIQUE (id),
    CONSTRAINT trunk_pk PRIMARY KEY (code))"""
DUPLICATES = """Errors occurred while importing the records
    1: Got a duplicate identity: Trunk . Code, Which triggered an error from the database driver: \
duplicate key value violates unique constraint "trunk_pk"
DETAIL:  Key (code)=(1) already exists.
    2: Got a duplicate identity: Trunk . Code, Which triggered an error from the database driver: \
duplicate key value violates unique constraint "trunk_pk"
DETAIL:  Key (code)=(2) already exists."""


@pytest.fixture
def tables_url(postgres: Postgres) -> Iterator[str]:
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tables_url: str) -> Settings:
    return make_settings(tables_url=tables_url, disk_reserve_mb=0)


def test_the_seed(runtime: Runtime, tmp_path: Path) -> None:
    # "Set up the environment"
    for name, content in {"trunk.csv": "code\n1\n2\n", "dummy.txt": "dummy\n"}.items():
        (tmp_path / name).write_text(content)
    engine = JobEngine(runtime=runtime, kinds=KINDS)
    db = create_engine(runtime.tables.url)
    with db.begin() as connection:
        connection.execute(text("CREATE SEQUENCE trunk_seq"))
        connection.execute(text(TRUNK))
    catalog_of(runtime).refresh()

    def poll_queue() -> list[str]:
        with runtime.reads() as session:
            wanted = select(Job.id).where(Job.kind == "imports.run", Job.state == JobState.QUEUED)
            return list(session.scalars(wanted))

    # "``submit_job`` does the queue update", with the file as the user would upload it
    def submit_job(table: str, filename: str) -> None:
        assert poll_queue() == []
        shell = Shell(
            runtime=runtime,
            settings=runtime.settings,
            kinds=KINDS,
            processors=processors_for(runtime),
            waker=RedisWaker(runtime.redis),
            actor=SYSTEM,
        )
        words = ["run", str(tmp_path / filename), "--table", table]
        result: Result = CliRunner().invoke(imports, words, obj=shell)
        assert result.exit_code == 0, result.output
        assert len(poll_queue()) == 1

    # "``run_job`` executes the worker code"; what it returns is "/import_job.result"
    def run_job(table: str, filename: str) -> str:
        submit_job(table, filename)
        [job_id] = poll_queue()
        perform(job_id, engine=engine)
        with runtime.reads() as session:
            job = session.scalars(select(Job).where(Job.id == job_id)).one()
            return str(job.result.get("text") or job.reason)

    # "Successful import"
    with db.begin() as connection:
        connection.execute(text("DELETE FROM trunk"))
    assert run_job("trunk", "trunk.csv") == "Successfully imported 2 row(s)"

    # "Import with a low-level error"
    assert run_job("trunk", "trunk.csv") == DUPLICATES

    # "Unsupported format"
    assert run_job("trunk", "dummy.txt") == "Unsupported file format: TXT"

    # "Table does not exist"
    assert run_job("trunk_table", "dummy.txt") == "Table does not exist: trunk_table"

    # "Cleaning up"
    with db.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM trunk")).scalar_one() == 2
        connection.execute(text("DELETE FROM trunk"))
        connection.execute(text("ALTER SEQUENCE trunk_seq RESTART WITH 1"))
    db.dispose()
