"""Undoing a whole batch: what it did goes back, what was changed since is kept and listed."""

import io

import pytest
from sqlalchemy import delete, update

from portal.jobs.models import JobState
from portal.rows.batch import BatchState
from portal.rows.processors import Mode
from portal.rows.results import kept_rows, write_kept
from tests.rows.people import PERSON, person
from tests.transactions import Transactions


def facts(batches):
    """Everybody, but for their numbers."""
    return {code: tuple(row)[1:] for code, row in batches.people().items()}


def kept(batches, batch_id):
    with batches.books.read() as session:
        found = kept_rows(session, tables=batches.books.tables, batch=batches.batch(batch_id))
        return {item.row: item.reason for item in found}


def changing(code, **values):
    return update(PERSON).where(PERSON.c.code == code).values(**values)


def test_created_records_go(each_way):
    batch = each_way.done([person(1), person(2, age="x"), person(3)])
    undone = each_way.undo(batch.id)
    assert each_way.people() == {}
    assert (undone.state, undone.undone, undone.kept) == (BatchState.UNDONE, 2, 0)


def test_updated_records_are_as_they_were(each_way):
    each_way.done([person(1), person(2)])
    before = facts(each_way)
    rows = [person(1, name="New", age="", city="Bonn"), person(2)]
    batch = each_way.done(rows, mode=Mode.UPDATE)
    assert facts(each_way) != before
    assert each_way.undo(batch.id).undone == 1
    assert facts(each_way) == before


def test_removed_records_come_back(each_way):
    each_way.done([person(1), person(2, age="", born="")])
    before = facts(each_way)
    batch = each_way.done([person(1), person(2)], mode=Mode.REMOVE)
    assert each_way.undo(batch.id).undone == 2
    assert facts(each_way) == before


def test_created_records_that_were_changed_since_are_kept(each_way):
    batch = each_way.done([person(1), person(2)])
    each_way.change(changing("c1", name="Changed"))
    undone = each_way.undo(batch.id)
    assert set(each_way.people()) == {"c1"}
    assert (undone.undone, undone.kept) == (1, 1)
    assert kept(each_way, batch.id) == {1: "It was changed after the batch."}


def test_a_change_of_what_the_file_did_not_say_is_seen_too(each_way):
    columns = ("code", "name")
    rows = [{"code": f"c{number}", "name": "N"} for number in range(12)]
    batch = each_way.done(rows, columns=columns, header=columns)
    each_way.change(changing("c7", city="Bonn"))
    each_way.undo(batch.id)
    assert kept(each_way, batch.id) == {8: "It was changed after the batch."}


def test_updated_records_that_were_changed_since_are_kept(each_way):
    each_way.done([person(1), person(2)])
    batch = each_way.done([person(1, name="A"), person(2, name="B")], mode=Mode.UPDATE)
    each_way.change(changing("c1", city="Bonn"))
    each_way.change(delete(PERSON).where(PERSON.c.code == "c2"))
    each_way.undo(batch.id)
    assert each_way.people()["c1"].name == "A"
    assert kept(each_way, batch.id) == {
        1: "It was changed after the batch.",
        2: "It is not there any more.",
    }


def test_a_removed_record_that_is_there_again_is_left_alone(each_way):
    each_way.done([person(1)])
    batch = each_way.done([person(1)], mode=Mode.REMOVE)
    each_way.add({"code": "c1", "name": "Another"})
    each_way.undo(batch.id)
    assert each_way.people()["c1"].name == "Another"
    assert kept(each_way, batch.id) == {1: "There is an entry with its identity again."}


def test_a_created_record_that_is_gone_counts_as_undone(each_way):
    batch = each_way.done([person(1)])
    each_way.change(delete(PERSON))
    assert each_way.undo(batch.id).undone == 1


def test_what_the_processor_refuses_to_undo_is_kept(each_way):
    batch = each_way.done([person(1, name="Locked"), *map(person, range(2, 14))])
    each_way.undo(batch.id)
    assert set(each_way.people()) == {"c1"}
    assert kept(each_way, batch.id) == {1: "It could not be undone. This person is locked."}


def test_retried_rows_are_undone_too(each_way):
    batch = each_way.done([person(1), person(2, age="x")])
    each_way.edit(batch.id, 2, {0: "c9", 2: "5"})
    each_way.retry(batch.id)
    assert set(each_way.people()) == {"c1", "c9"}
    assert each_way.undo(batch.id).undone == 2
    assert each_way.people() == {}


def test_the_kept_ones_are_a_file(batches):
    batch = batches.done([person(1)])
    batches.change(changing("c1", name="Changed"))
    batches.undo(batch.id)
    stream = io.BytesIO()
    with batches.books.read() as session:
        undone = batches.batch(batch.id)
        write_kept(session, stream, tables=batches.books.tables, batch=undone)
    assert stream.getvalue() == b"row,entry,reason\r\n1,1,It was changed after the batch.\r\n"


def test_a_long_batch_is_undone_in_short_transactions(batches):
    batch = batches.done([person(number) for number in range(450)])
    transactions = Transactions(batches.runtime.engine)
    assert batches.undo(batch.id).undone == 450
    transactions.assert_short()


def test_several_chunks_are_undone(each_way):
    many = each_way.books.pace.rows * 2 + 30
    batch = each_way.done([person(number) for number in range(many)])
    assert each_way.undo(batch.id).undone == many
    assert each_way.people() == {}


@pytest.mark.parametrize("mode", list(Mode))
def test_every_effect_is_undone_or_kept(batches, mode):
    batches.done([person(number) for number in range(20)])
    offset = 100 if mode is Mode.CREATE else 0
    batch = batches.done([person(offset + row, name="X") for row in range(20)], mode=mode)
    batches.change(changing(f"c{offset + 3}", name="Y"))
    if mode is Mode.REMOVE:
        batches.add({"code": "c4", "name": "Z"})
    undone = batches.undo(batch.id)
    assert undone.undone + undone.kept == 20
    assert undone.kept == 1


def test_an_undone_batch_is_not_undone_again(batches):
    batch = batches.done([person(1)])
    batches.undo(batch.id)
    batches.add({"code": "c1", "name": "Name 1"})
    assert batches.undo(batch.id).undone == 1
    assert set(batches.people()) == {"c1"}


def test_an_undone_batch_does_not_go_on(batches):
    batch = batches.done([person(1)])
    batches.undo(batch.id)
    job = batches.perform(batch.id)
    assert job.state == JobState.FAILED
    assert "was undone" in job.reason


def test_a_dry_run_cannot_be_undone(batches):
    batch = batches.done([person(1)], dry_run=True)
    job = batches.perform(batch.id, "undo")
    assert job.state == JobState.FAILED
    assert "dry run" in job.reason
