"""A batch can still be undone, and its rows retried, in a portal that was restored elsewhere."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.accounts.permissions import SYSTEM, Role
from portal.backup import restore_backup, write_backup
from portal.datacenter import orders
from portal.jobs.models import JobState
from portal.jobs.runner import perform
from portal.projects.models import Project
from portal.rows.batch import Batch, BatchState
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.example import load_tables
from tests.datacenter.processing import Office, open_office

Opened = Callable[[Settings], Runtime]
OFFICES = "id,code,name,city\n11,E,Eastern office,Görlitz\n12,X,Island office,Norderney\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def restored(office: Office, tmp_path: Path, place: Settings, opened: Opened) -> Office:
    write_backup(office.runtime.settings, tmp_path / "portal.tar")
    shutil.rmtree(office.runtime.settings.data / "batches")
    restore_backup(place, tmp_path / "portal.tar")
    return Office(runtime=opened(place), actor=office.actor)


def undo(office: Office, batch: Batch) -> Batch:
    with office.runtime.sessions.begin() as session:
        job = orders.ask_to_undo(session, batch=batch, asking=office.asking()).job
    assert perform(job.id, engine=office.engine) is JobState.SUCCEEDED
    return office.batch(batch.id)


def test_a_batch_is_undone_in_a_restored_portal(
    office: Office, tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    office.put("p.csv", "id,title\nred,Red\nblue,Blue\n")
    batch = office.process("p.csv", "projects")
    there = restored(office, tmp_path, empty_place, opened)
    after = undo(there, there.batch(batch.id))
    assert (after.state, after.undone) == (BatchState.UNDONE, 2)
    with there.runtime.reads() as session:
        assert session.get(Project, "red") is None


def test_a_batch_of_a_table_is_undone_in_a_restored_portal(
    office: Office, tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    load_tables(office.runtime, SYSTEM)
    office.put("o.csv", OFFICES)
    batch = office.process("o.csv", "table:example_office")
    assert batch.counts.created == 2
    there = restored(office, tmp_path, empty_place, opened)
    assert undo(there, there.batch(batch.id)).undone == 2
    with there.runtime.tables.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM example_office")) == 3


def test_the_copy_of_a_batch_that_is_gone_is_named(office: Office, tmp_path: Path) -> None:
    office.put("p.csv", "id,title\nred,Red\n")
    batch = office.process("p.csv", "projects")
    batch.order.file.unlink()
    report = write_backup(office.runtime.settings, tmp_path / "portal.tar")
    assert report.missing == (f"{batch.order.file.name}, a file as a batch read it",)
