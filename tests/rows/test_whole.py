"""Batches that are all or nothing."""

import threading

import pytest
from sqlalchemy import update

from portal.db import db_now
from portal.errors import ConflictError
from portal.jobs.models import Job, JobState
from portal.jobs.work import LOOK_SECONDS
from portal.rows import service
from portal.rows.batch import BatchState
from portal.rows.processors import Mode, Store
from portal.rows.whole import WAITS
from tests.rows.batches import Batches
from tests.rows.people import PERSON, ManyPeople, person
from tests.rows.test_stopping import run_with

SIZE = 12_000
FEW = [person(number) for number in range(30)]


@pytest.fixture
def batches(runtime, tmp_path):
    return Batches(runtime, tmp_path, "table")


class Interrupting(ManyPeople):
    """Does something of the test's when it creates the second chunk."""

    def __init__(self, interrupt):
        self.interrupt = interrupt

    def create_many(self, session, rows, *, acting):
        if rows[0]["code"] == "c5000":
            self.interrupt(session)
        return super().create_many(session, rows, acting=acting)


def whole(batches, rows, **values):
    return batches.done(rows, whole=True, **values)


def test_good_rows_are_all_done_in_one_go(batches):
    batch = whole(batches, [person(number) for number in range(SIZE)])
    assert (batch.state, batch.counts.created) == (BatchState.DONE, SIZE)
    assert batch.counts.unprocessed == 0
    assert batches.shown(batch.id).counts == batch.counts
    assert len(batches.people()) == SIZE
    undone = batches.undo(batch.id)
    assert (undone.undone, batches.people()) == (SIZE, {})


def test_one_bad_row_keeps_all_from_being_done_and_every_bad_row_is_told(batches):
    rows = [person(number) for number in range(SIZE)]
    rows[10]["age"] = "x"
    rows[6000]["name"] = "Nobody"
    rows[11_000]["code"] = "c3"
    batch = whole(batches, rows)
    assert batch.state is BatchState.REFUSED
    assert batches.people() == {}
    assert sorted(batches.errors(batch.id)) == [11, 6001, 11_001]
    assert batches.errors(batch.id)[11_001]["code"] == ["Row 4 of this file has the same code."]
    assert (batch.counts.failed, batch.counts.unprocessed) == (3, SIZE - 3)
    assert batches.shown(batch.id).counts == batch.counts


@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.UPSERT, Mode.REMOVE])
def test_in_each_mode_nothing_stays_of_a_refused_one(batches, mode):
    batches.done(FEW[:20])
    before = batches.people()
    rows = [row | {"age": "7"} for row in FEW[:20]]
    rows.append(person(3, age="8"))
    assert whole(batches, rows, mode=mode).state is BatchState.REFUSED
    assert batches.people() == before
    done = whole(batches, rows[:20], mode=mode)
    assert (done.state, done.counts.processed) == (BatchState.DONE, 20)
    assert batches.undo(done.id).kept == 0
    assert {code: row[1:] for code, row in batches.people().items()} == {
        code: row[1:] for code, row in before.items()
    }


def test_after_repairs_the_whole_file_is_done_and_can_be_undone(batches):
    rows = [row | {"age": "x"} if number in (3, 4, 20) else row for number, row in enumerate(FEW)]
    batch = whole(batches, rows)
    batches.edit(batch.id, 4, {2: "40", 1: "Mended"})
    batches.edit(batch.id, 5, {2: "50"})
    batches.skip(batch.id, [21])
    done = batches.retry(batch.id)
    assert (done.state, done.counts.created, done.counts.skipped) == (BatchState.DONE, 29, 1)
    assert done.counts.unprocessed == 0
    people = batches.people()
    assert (people["c3"].name, people["c3"].age, "c20" in people) == ("Mended", 40, False)
    outcomes = batches.outcomes(batch.id)
    assert sorted(outcomes) == list(range(1, 31))
    assert outcomes[21] == "skipped"
    undone = batches.undo(batch.id)
    assert (undone.undone, undone.kept, batches.people()) == (29, 0, {})


def test_a_row_that_was_repaired_keeps_its_repair_while_another_fails(batches):
    rows = [row | {"age": "x"} if number in (3, 4) else row for number, row in enumerate(FEW)]
    batch = whole(batches, rows)
    batches.edit(batch.id, 4, {2: "40"})
    again = batches.retry(batch.id)
    assert (again.state, again.counts.failed) == (BatchState.REFUSED, 2)
    assert batches.errors(batch.id)[4] == {"": [WAITS]}
    batches.edit(batch.id, 5, {2: "50"})
    assert batches.retry(batch.id).state is BatchState.DONE
    assert {batches.people()[code].age for code in ("c3", "c4")} == {40, 50}


def test_what_fails_no_more_of_itself_is_no_longer_told(batches):
    batches.done([person(3)])
    batch = whole(batches, [*FEW[:5], person(99, age="x")])
    assert sorted(batches.errors(batch.id)) == [4, 6]
    batches.change(update_code("c3", "other"))
    again = batches.retry(batch.id)
    assert (again.state, sorted(batches.errors(batch.id))) == (BatchState.REFUSED, [6])
    assert again.counts.failed == 1


def test_when_all_bad_rows_are_skipped_the_rest_can_be_done(batches):
    batch = whole(batches, [*FEW[:5], person(99, age="x")])
    batches.skip(batch.id, [6])
    done = batches.retry(batch.id)
    assert (done.state, done.counts.created, done.counts.skipped) == (BatchState.DONE, 5, 1)


def test_a_refused_one_run_again_without_being_asked_stays_refused(batches):
    batch = whole(batches, [person(1, age="x")])
    assert batches.run(batch.id) == batches.batch(batch.id)
    assert batches.batch(batch.id).state is BatchState.REFUSED


def test_a_refused_one_cannot_be_undone_nor_gone_on_with(batches):
    batch = whole(batches, [person(1, age="x")])
    assert "nothing to undo" in batches.perform(batch.id, "undo").reason
    with batches.runtime.sessions() as session, pytest.raises(ConflictError, match="try again"):
        service.resume(session, batch_id=batch.id)


def test_it_cannot_be_paused(batches):
    batch_id = batches.make(FEW, whole=True)
    with batches.runtime.sessions() as session, pytest.raises(ConflictError, match="paused"):
        service.pause(session, batch_id=batch_id)


def test_cancelled_in_the_middle_nothing_happened_and_it_can_begin_anew(batches):
    def cancel(_session):
        with batches.runtime.sessions.begin() as session:
            session.execute(update(Job).values(cancel_requested_at=db_now()))
        threading.Event().wait(LOOK_SECONDS)  # jobs look that often whether they were cancelled

    batch_id = batches.make([person(number) for number in range(SIZE)], whole=True)
    job = run_with(batches, batch_id, Interrupting(cancel), unique=True, store=Store.TABLES)
    cancelled = batches.batch(batch_id)
    assert (job.state, cancelled.state) == (JobState.CANCELLED, BatchState.CANCELLED)
    assert (batches.people(), cancelled.counts.unprocessed) == ({}, SIZE)
    assert batches.entries(batch_id) == []
    assert batches.run(batch_id).counts.created == SIZE


def test_a_fault_of_the_machine_leaves_nothing_done(batches):
    def full(_session):
        raise OSError(28, "No space left on device")

    batch_id = batches.make([person(number) for number in range(SIZE)], whole=True)
    run_with(batches, batch_id, Interrupting(full), unique=True, store=Store.TABLES)
    assert batches.batch(batch_id).state is BatchState.STOPPED
    assert batches.people() == {}


def test_a_dry_run_tells_without_refusing_the_whole(batches):
    batch = whole(batches, [*FEW, person(99, age="x")], dry_run=True)
    assert (batch.state, batch.counts.created, batch.counts.failed) == (BatchState.DONE, 30, 1)


def test_blank_rows_count_as_such(batches):
    batch = whole(batches, [person(1), ["", "", "", "", ""], person(2)])
    assert (batch.counts.created, batch.counts.blank) == (2, 1)


def test_records_of_the_portal_itself_are_not_done_all_or_nothing(runtime, tmp_path):
    portal = Batches(runtime, tmp_path, "people")
    job = portal.perform(portal.make([person(1)], whole=True))
    assert "all or nothing" in job.reason


def update_code(old, new):
    return update(PERSON).where(PERSON.c.code == old).values(code=new)
