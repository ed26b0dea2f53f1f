"""Doing a batch again that was undone: exactly what it did; what was changed since is left."""

import pytest
from sqlalchemy import delete, update

from portal.jobs.models import JobState
from portal.rows.batch import BatchState, Outcome
from portal.rows.processors import Mode
from tests.rows.people import PERSON, person
from tests.transactions import Transactions


def facts(batches):
    """Everybody, but for their numbers."""
    return {code: tuple(row)[1:] for code, row in batches.people().items()}


def changing(code, **values):
    return update(PERSON).where(PERSON.c.code == code).values(**values)


def left(batches, batch_id):
    """The rows that were not done again, with their reasons."""
    return {
        entry.first_row: entry.skip_reason
        for entry in batches.entries(batch_id)
        if entry.outcome is Outcome.SKIPPED
    }


def undone(batches, rows, **values):
    batch = batches.done(rows, **values)
    batches.undo(batch.id)
    return batch


@pytest.mark.parametrize("mode", list(Mode))
def test_every_effect_is_there_again(each_way, mode):
    each_way.done([person(number) for number in range(12)])
    first = 6 if mode is Mode.UPSERT else 100 if mode is Mode.CREATE else 0
    rows = [person(first + number, name="New", age="") for number in range(12)]
    batch = each_way.done(rows, mode=mode)
    after = facts(each_way)
    each_way.undo(batch.id)
    assert facts(each_way) != after
    again = each_way.redo(batch.id)
    assert facts(each_way) == after
    assert (again.state, again.undone, again.kept) == (BatchState.DONE, 0, 0)
    assert again.counts == batch.counts


@pytest.mark.parametrize("mode", list(Mode))
def test_what_was_done_again_can_be_undone_again(each_way, mode):
    each_way.done([person(number) for number in range(12)])
    before = facts(each_way)
    first = 6 if mode is Mode.UPSERT else 100 if mode is Mode.CREATE else 0
    batch = undone(each_way, [person(first + n, name="New") for n in range(12)], mode=mode)
    each_way.redo(batch.id)
    again = each_way.undo(batch.id)
    assert (again.undone, again.kept) == (12, 0)
    assert facts(each_way) == before
    each_way.redo(batch.id)
    assert facts(each_way) != before


def test_columns_that_the_file_does_not_say_can_be_undone_after_that_too(each_way):
    columns = ("code", "name")
    rows = [{"code": f"c{number}", "name": "N"} for number in range(30)]
    batch = undone(each_way, rows, columns=columns, header=columns)
    each_way.redo(batch.id)
    assert each_way.undo(batch.id).kept == 0
    assert each_way.people() == {}


def test_a_created_record_that_is_there_again_is_left(each_way):
    batch = undone(each_way, [person(number) for number in range(20)])
    each_way.add({"code": "c7", "name": "Another"})
    again = each_way.redo(batch.id)
    assert each_way.people()["c7"].name == "Another"
    assert left(each_way, batch.id) == {
        8: "Not done again. There is an entry with its identity again."
    }
    assert (again.counts.created, again.counts.skipped) == (19, 1)


def test_records_that_were_changed_since_are_left(each_way):
    each_way.done([person(1), person(2), person(3)])
    rows = [person(1, name="A"), person(2, name="B"), person(3, name="C")]
    batch = undone(each_way, rows, mode=Mode.UPDATE)
    each_way.change(changing("c1", city="Bonn"))
    each_way.change(delete(PERSON).where(PERSON.c.code == "c2"))
    each_way.redo(batch.id)
    assert each_way.people()["c1"].name == "Name 1"
    assert each_way.people()["c3"].name == "C"
    assert left(each_way, batch.id) == {
        1: "Not done again. It was changed after the undo.",
        2: "Not done again. It is not there any more.",
    }


def test_a_record_to_remove_that_was_changed_since_is_left(each_way):
    each_way.done([person(1), person(2)])
    batch = undone(each_way, [person(1), person(2)], mode=Mode.REMOVE)
    each_way.change(changing("c1", city="Bonn"))
    each_way.redo(batch.id)
    assert set(each_way.people()) == {"c1"}
    assert left(each_way, batch.id) == {1: "Not done again. It was changed after the undo."}


def test_what_the_undo_kept_stays_as_it_is(each_way):
    batch = each_way.done([person(number) for number in range(20)])
    each_way.change(changing("c7", name="Changed"))
    each_way.undo(batch.id)
    again = each_way.redo(batch.id)
    assert each_way.people()["c7"].name == "Changed"
    assert (again.counts.created, again.counts.skipped) == (20, 0)
    assert each_way.undo(batch.id).kept == 1


def test_what_was_left_is_not_undone(each_way):
    batch = undone(each_way, [person(number) for number in range(20)])
    each_way.add({"code": "c7", "name": "Another"})
    each_way.redo(batch.id)
    assert each_way.undo(batch.id).undone == 19
    assert set(each_way.people()) == {"c7"}


def test_repaired_rows_are_done_again_as_they_were_repaired(each_way):
    batch = each_way.done([person(1), person(2, age="x")])
    each_way.edit(batch.id, 2, {0: "c9", 2: "5"})
    each_way.retry(batch.id)
    each_way.undo(batch.id)
    each_way.redo(batch.id)
    assert set(each_way.people()) == {"c1", "c9"}
    each_way.undo(batch.id)
    each_way.redo(batch.id)
    assert each_way.people()["c9"].age == 5


def test_several_chunks_are_done_again(each_way):
    many = each_way.books.pace.rows * 2 + 30
    batch = undone(each_way, [person(number) for number in range(many)])
    again = each_way.redo(batch.id)
    assert again.counts.created == many
    assert len(each_way.people()) == many
    assert each_way.undo(batch.id).undone == many


def test_a_long_batch_is_done_again_in_short_transactions(batches):
    batch = undone(batches, [person(number) for number in range(450)])
    transactions = Transactions(batches.runtime.engine)
    assert batches.redo(batch.id).counts.created == 450
    transactions.assert_short()


def test_rows_that_failed_stay_failed(each_way):
    batch = undone(each_way, [person(1), person(2, age="x"), person(3)])
    again = each_way.redo(batch.id)
    assert (again.counts.created, again.counts.failed) == (2, 1)


def test_only_what_was_undone_is_done_again(batches):
    batch = batches.done([person(1, age="x")], dry_run=True)
    job = batches.perform(batch.id, "redo")
    assert job.state == JobState.SUCCEEDED  # what is done already stays as it is
    assert batches.people() == {}


def test_the_portal_tells_how_it_stands(each_way):
    batch = undone(each_way, [person(1)])
    each_way.redo(batch.id)
    shown = each_way.shown(batch.id)
    assert (shown.state, shown.undone) == (BatchState.DONE, 0)
