"""The copies that batches read are kept as long as a batch may want them, wherever they lie."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from portal.accounts.permissions import Role
from portal.datacenter import orders
from portal.jobs.models import JobState
from portal.jobs.runner import perform
from portal.rows.batch import Batch, BatchState
from portal.rows.copies import ABANDONED_SECONDS, adopt_sources, sweep_sources
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.processing import Office, open_office

PROJECTS = "id,title\nred,Red\nblue,Blue\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


@pytest.fixture
def batch(office: Office) -> Batch:
    office.put("p.csv", PROJECTS)
    return office.process("p.csv", "projects")


@pytest.fixture
def moved(office: Office, batch: Batch, tmp_path: Path) -> Iterator[Office]:
    """The same portal after somebody moved its data folder."""
    settings: Settings = office.runtime.settings
    os.rename(settings.data, tmp_path / "new place")
    values = {"data": tmp_path / "new place"}
    with closing(Runtime.open(settings.model_copy(update=values))) as runtime:
        yield Office(runtime=runtime, actor=office.actor)


def age(path: Path) -> None:
    long_ago = path.stat().st_mtime - ABANDONED_SECONDS - 60
    os.utime(path, (long_ago, long_ago))


def undo(office: Office, batch: Batch) -> BatchState:
    with office.runtime.sessions.begin() as session:
        job = orders.ask_to_undo(session, batch=batch, asking=office.asking()).job
    assert perform(job.id, engine=office.engine) is JobState.SUCCEEDED
    return office.batch(batch.id).state


def test_a_copy_is_kept_while_its_batch_is(office: Office, batch: Batch) -> None:
    age(batch.order.file)
    assert sweep_sources(office.runtime) == 0
    assert batch.order.file.read_text() == PROJECTS


def test_a_copy_goes_once_its_batch_is_forgotten(office: Office, batch: Batch) -> None:
    with office.runtime.sessions.begin() as session:
        session.execute(update(PORTAL_LEDGER.batch).values(forgotten_at=office.runtime.clock()))
    assert sweep_sources(office.runtime) == 0
    age(batch.order.file)
    assert sweep_sources(office.runtime) == 1
    assert not batch.order.file.exists()


def test_what_a_dead_worker_copied_goes(office: Office, batch: Batch) -> None:
    left = batch.order.file.with_name("left-1")
    left.write_text("half")
    age(left)
    assert sweep_sources(office.runtime) == 1
    assert batch.order.file.exists()


def test_nothing_that_is_wanted_goes_where_the_data_folder_was_moved(
    moved: Office, batch: Batch
) -> None:
    (copy,) = (moved.runtime.settings.data / "batches").iterdir()
    age(copy)
    assert sweep_sources(moved.runtime) == 0
    assert copy.read_text() == PROJECTS


def test_batches_find_their_copies_in_a_data_folder_that_was_moved(
    moved: Office, batch: Batch
) -> None:
    assert adopt_sources(moved.runtime) == 1
    assert moved.batch(batch.id).order.file.read_text() == PROJECTS
    assert undo(moved, moved.batch(batch.id)) is BatchState.UNDONE
    assert adopt_sources(moved.runtime) == 0


def test_a_copy_that_is_nowhere_stays_where_it_was_said_to_be(office: Office, batch: Batch) -> None:
    batch.order.file.unlink()
    assert adopt_sources(office.runtime) == 0
    assert office.batch(batch.id).order.file == batch.order.file
