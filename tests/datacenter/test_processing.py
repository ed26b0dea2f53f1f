"""Files processed by jobs, end to end: batch, results, distribution, backup, retry, undo."""

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Role
from portal.accounts.service import find_user
from portal.audit.models import AuditEntry
from portal.datacenter import orders
from portal.errors import ConflictError, ForbiddenError
from portal.jobs.models import JobState
from portal.jobs.runner import perform
from portal.rows.batch import Batch, BatchOrder, BatchState
from portal.rows.processors import Mode
from portal.rows.service import create_batch
from portal.runtime import Runtime
from portal.tabular.formats import Format
from tests.datacenter.processing import Office, open_office, repair

GOOD = "name,display_name,roles\nanna,Anna K,member\nbob,Bob,\n"
MIXED = "name,display_name,email\nanna,Anna K,anna@example.org\nbob,Bob,no address\n\ncleo,,\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def users(office: Office, *names: str) -> list[bool]:
    with office.runtime.reads() as session:
        return [find_user(session, name) is not None for name in names]


def test_a_good_file_becomes_records_and_is_finished(office: Office) -> None:
    office.put("users.csv", GOOD)
    batch = office.process("users.csv", "users")
    assert (batch.state, batch.counts.created, batch.counts.failed) == (BatchState.DONE, 2, 0)
    assert users(office, "anna", "bob") == [True, True]
    assert office.lying()[""] == []
    assert office.lying()["finished"] == ["users.create.finished.csv", "users.csv"]
    assert office.text("finished/users.csv") == GOOD


def test_bad_rows_never_stop_a_run_and_come_back_as_pending(office: Office) -> None:
    office.put("users.csv", MIXED)
    batch = office.process("users.csv", "users")
    counts = batch.counts
    assert (counts.created, counts.failed, counts.blank, counts.unprocessed) == (2, 1, 1, 0)
    lying = office.lying()
    assert lying[""] == ["users.create.pending.csv"]
    assert lying["unfinished"] == ["users.csv"]
    assert lying["finished"] == ["users.create.finished.csv"]
    header, row = office.text("users.create.pending.csv").splitlines()
    assert header == "name,display_name,email,--ERRORS--"
    assert row.startswith("bob,Bob,no address,email: ")


def test_a_repaired_pending_file_completes_the_original(office: Office) -> None:
    office.put("users.csv", MIXED)
    office.process("users.csv", "users")
    pending = office.text("users.create.pending.csv").replace("no address", "bob@example.org")
    office.put("users.create.pending.csv", pending, replace=True)
    batch = office.process("users.create.pending.csv", "users")
    assert (batch.counts.created, batch.counts.failed) == (1, 0)
    lying = office.lying()
    assert (lying[""], lying["unfinished"]) == ([], [])
    assert lying["finished"] == ["users.create.finished.csv", "users.csv"]
    finished = office.text("finished/users.create.finished.csv")
    assert [line.split(",")[0] for line in finished.splitlines()] == ["name", "anna", "cleo", "bob"]


def test_rows_repaired_in_the_grid_complete_the_original_too(office: Office) -> None:
    office.put("users.csv", MIXED)
    batch = office.process("users.csv", "users")
    batch = repair(office, batch.id, row=2, cells={2: "bob@example.org"})
    assert (batch.counts.created, batch.counts.failed, batch.attempt) == (3, 0, 2)
    lying = office.lying()
    assert (lying[""], lying["unfinished"]) == ([], [])
    finished = office.text("finished/users.create.finished.csv")
    assert [line.split(",")[0] for line in finished.splitlines()] == ["name", "anna", "cleo", "bob"]


def test_a_retry_that_fails_again_keeps_one_pending_file(office: Office) -> None:
    office.put("users.csv", MIXED)
    batch = office.process("users.csv", "users")
    batch = repair(office, batch.id, row=2, cells={2: "still none"})
    assert (batch.counts.created, batch.counts.failed) == (2, 1)
    assert office.lying()[""] == ["users.create.pending.csv"]
    assert "still none" in office.text("users.create.pending.csv")


def test_a_dry_run_writes_nothing_and_moves_nothing(office: Office) -> None:
    office.put("users.csv", MIXED)
    batch = office.process("users.csv", "users", dry_run=True)
    assert (batch.counts.created, batch.counts.failed) == (2, 1)
    assert users(office, "anna", "cleo") == [False, False]
    assert office.lying()[""] == ["users.csv"]


def test_removed_records_are_backed_up_and_can_be_restored(office: Office) -> None:
    office.put("projects.csv", "id,title,policy\nred,The red one,closed\nblue,Blue,open\n")
    office.process("projects.csv", "projects")
    office.put("gone.csv", "id\nred\n")
    batch = office.process("gone.csv", "projects", Mode.REMOVE)
    assert batch.counts.removed == 1
    (backup,) = office.lying()["deleted"]
    assert "red,The red one,closed" in office.text(f"deleted/{backup}")
    restored = office.process(backup, "projects", folder=orders.Folder.DELETED)
    assert restored.counts.created == 1
    assert office.lying()["deleted"] == [backup]


def test_formulas_are_marked_in_a_backup_and_restored(office: Office) -> None:
    office.put("projects.csv", "id,title\nred,=1+1\n")
    office.process("projects.csv", "projects")
    office.put("gone.csv", "id\nred\n")
    office.process("gone.csv", "projects", Mode.REMOVE)
    (backup,) = office.lying()["deleted"]
    assert "red,'=1+1," in office.text(f"deleted/{backup}")
    office.process(backup, "projects", folder=orders.Folder.DELETED)
    office.put("same.csv", "id,title\nred,=1+1\n")
    assert office.process("same.csv", "projects", Mode.UPDATE).counts.unchanged == 1


def test_a_whole_batch_is_undone(office: Office) -> None:
    office.put("projects.csv", "id,title\nred,Red\nblue,Blue\n")
    batch = office.process("projects.csv", "projects")
    with office.runtime.sessions.begin() as session:
        job = orders.ask_to_undo(session, batch=batch, asking=office.asking()).job
    assert perform(job.id, engine=office.engine) is JobState.SUCCEEDED
    assert office.batch(batch.id).state is BatchState.UNDONE
    assert office.batch(batch.id).undone == 2


def test_every_run_has_a_line_in_the_log(office: Office) -> None:
    office.put("users.csv", MIXED)
    office.process("users.csv", "users")
    lines = (office.center.logs_path / "users.log").read_text().splitlines()
    assert " - INFO - berta - users - users.csv - " in lines[0]
    assert "created" in lines[0]
    assert " - INFO - berta - processed: " in lines[-1]
    assert "create mode, 4 lines (2 successful/ 1 failed), " in lines[-1]


def test_asking_twice_joins_the_running_job(office: Office) -> None:
    office.put("users.csv", GOOD)
    order = office.order("users.csv", "users")
    assert office.ask(order) == office.ask(order)


def test_a_dry_run_of_other_arguments_does_not_join_one_that_is_active(office: Office) -> None:
    office.put("users.csv", GOOD)
    create = office.order("users.csv", "users", dry_run=True)
    update = office.order("users.csv", "users", Mode.UPDATE, dry_run=True)
    assert office.ask(create) != office.ask(update)
    assert office.ask(create) == office.ask(office.order("users.csv", "users", dry_run=True))


def test_a_file_that_is_being_processed_is_not_processed_otherwise_too(office: Office) -> None:
    office.put("users.csv", GOOD)
    office.ask(office.order("users.csv", "users"))
    with pytest.raises(ConflictError):
        office.ask(office.order("users.csv", "users", Mode.UPDATE))


def test_a_data_manager_may_try_a_file_out_but_not_process_it(runtime: Runtime) -> None:
    office = open_office(runtime, Role.DATA_MANAGER)
    office.put("p.csv", "id,title\nred,Red\n")
    assert office.process("p.csv", "projects", dry_run=True).counts.total == 1
    with pytest.raises(orders.ForbiddenError):
        office.process("p.csv", "projects")


def waiting_batch(office: Office) -> Batch:
    """A batch of users that waits for its job."""
    path = office.center.storage / "users.csv"
    order = BatchOrder(
        kind="datacenter",
        processor="users",
        mode=Mode.CREATE,
        file=path,
        file_name=path.name,
        sha256="0" * 64,
        size=path.stat().st_size,
        format=Format(),
        columns=("name", "display_name", "roles"),
        owner=path.name,
    )
    with office.runtime.sessions.begin() as session:
        return create_batch(session, order=order, actor=office.actor, now=office.runtime.clock())


def pause(office: Office, batch: Batch) -> None:
    with office.runtime.sessions.begin() as session:
        orders.ask_to_pause(session, batch=batch, asking=office.asking())


def test_who_paused_a_batch_is_recorded(office: Office) -> None:
    office.put("users.csv", GOOD)
    batch = waiting_batch(office)
    pause(office, batch)
    assert office.batch(batch.id).pause_asked
    with office.runtime.reads() as session:
        query = select(AuditEntry).where(AuditEntry.action == "datacenter.pause")
        entry = session.scalars(query).one()
    assert (entry.actor_name, entry.object_id) == ("berta", "users.csv")
    assert entry.detail == {"batch": batch.id}


def test_a_batch_is_not_paused_without_the_processors_right(
    runtime: Runtime, office: Office
) -> None:
    office.put("users.csv", GOOD)
    batch = waiting_batch(office)
    clerk = open_office(runtime, Role.IMPORT_MANAGER, name="clerk")
    with pytest.raises(ForbiddenError):
        pause(clerk, batch)
    assert not office.batch(batch.id).pause_asked
