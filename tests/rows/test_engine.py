"""Running a batch: what becomes of each row, and that the sum is always that of the file."""

import pytest
from sqlalchemy import delete, text

from portal.jobs.models import JobState
from portal.rows.batch import BatchState
from portal.rows.processors import Mode
from tests.rows.batches import Batches
from tests.rows.people import PERSON, person
from tests.transactions import Transactions

DAMAGED = [
    person(1),
    person(2, age="old"),
    ["", "", "", "", ""],
    person(3),
    person(4, name="Nobody"),
    ["c5", "Too few"],
    person(6),
    person(1, name="Again"),
]


def test_good_rows_become_records_and_bad_ones_do_not_stop_them(each_way):
    batch = each_way.done(DAMAGED)
    assert set(each_way.people()) == {"c1", "c3", "c6"}
    assert each_way.outcomes(batch.id) == {
        1: "created",
        2: "failed",
        3: "blank",
        4: "created",
        5: "failed",
        6: "failed",
        7: "created",
        8: "failed",
    }


def test_the_sum_of_outcomes_is_the_rows_of_the_file(each_way):
    batch = each_way.done(DAMAGED)
    assert batch.state is BatchState.DONE
    assert batch.counts.as_json() == {
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "removed": 0,
        "skipped": 0,
        "failed": 4,
        "blank": 1,
        "total": 8,
        "unprocessed": 0,
    }


def test_errors_stand_by_their_column(each_way):
    batch = each_way.done(DAMAGED)
    assert each_way.errors(batch.id) == {
        2: {"age": ["Invalid integer data: write a whole number such as 42"]},
        5: {"name": ["Nobody may be called so."]},
        6: {"": ["Row has 2 cells, the header has 5."]},
        8: {"code": ["Row 1 of this file has the same code."]},
    }


def test_what_exists_is_not_created_again(each_way):
    each_way.add({"code": "c1", "name": "Old"})
    batch = each_way.done([person(1), person(2)])
    assert each_way.errors(batch.id) == {1: {"": ["This object already exists."]}}
    assert each_way.people()["c1"].name == "Old"


def test_an_update_changes_what_differs_and_leaves_the_rest(each_way):
    each_way.done([person(1), person(2)])
    rows = [{"code": "c1", "name": "New"}, {"code": "c2", "name": "Name 2"}]
    columns = ("code", "name")
    batch = each_way.done(rows, mode=Mode.UPDATE, columns=columns, header=columns)
    assert each_way.outcomes(batch.id) == {1: "updated", 2: "unchanged"}
    assert each_way.people()["c1"].name == "New"
    assert each_way.people()["c1"].city == "Paris"


def test_an_update_keeps_the_image_before_and_what_it_changed(each_way):
    each_way.done([person(1)])
    batch = each_way.done([person(1, name="New")], mode=Mode.UPDATE)
    (entry,) = each_way.entries(batch.id)
    assert entry.before["name"] == "Name 1"
    assert entry.after == {"name": "New"}


def test_what_is_not_there_is_neither_updated_nor_removed(each_way):
    update = each_way.done([person(1)], mode=Mode.UPDATE)
    remove = each_way.done([person(1)], mode=Mode.REMOVE)
    assert each_way.errors(update.id) == {1: {"": ["Cannot update: no such entry"]}}
    assert each_way.errors(remove.id) == {1: {"": ["Cannot remove: no such entry"]}}


def test_removed_records_are_kept_elsewhere_first(each_way):
    each_way.done([person(1), person(2), person(3, name="Locked")])
    batch = each_way.done([person(1), person(3)], mode=Mode.REMOVE)
    assert set(each_way.people()) == {"c2", "c3"}
    assert each_way.errors(batch.id) == {2: {"": ["This person is locked."]}}
    assert len(each_way.backup(batch.id)) == 1
    assert batch.backup_bytes > 0


@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.REMOVE])
def test_the_second_row_for_a_record_is_told_of_the_first(each_way, mode):
    each_way.done([person(1), person(2)])
    rows = [person(1, name="A"), person(2, name="B"), person(1, name="C")]
    batch = each_way.done(rows, mode=mode)
    assert each_way.errors(batch.id) == {3: {"code": ["Row 1 of this file has the same code."]}}


def test_a_row_that_failed_does_not_stand_in_the_way_of_a_later_one(each_way):
    batch = each_way.done([person(1, age="x"), person(1)])
    assert each_way.outcomes(batch.id) == {1: "failed", 2: "created"}


def test_what_only_the_database_refuses_is_told_in_its_words(each_way):
    if each_way.database.dialect.name == "sqlite":
        each_way.change(_trigger())
    batch = each_way.done([person(1), person(2, name="x" * 60), person(3)])
    assert each_way.outcomes(batch.id) == {1: "created", 2: "failed", 3: "created"}
    assert "too long" in each_way.errors(batch.id)[2][""][0]


def test_ranges_tell_rows_of_like_outcome(each_way):
    each_way.done([person(number) for number in range(20)])
    batch = each_way.done([person(number) for number in range(20)], mode=Mode.UPDATE)
    entries = each_way.entries(batch.id)
    assert {str(entry.outcome) for entry in entries} == {"unchanged"}
    assert len(entries) < 20


def test_a_long_file_is_done_in_short_transactions(batches):
    batch = batches.make([person(number) for number in range(700)])
    transactions = Transactions(batches.runtime.engine)
    assert batches.run(batch).counts.created == 700
    transactions.assert_short()


def test_very_many_rows_are_done_in_several_chunks(each_way):
    many = each_way.books.pace.rows + 50
    batch = each_way.done([*(person(number) for number in range(many)), person(3)])
    assert batch.counts.created == many
    said = {"code": ["Row 4 of this file has the same code."]}
    assert each_way.errors(batch.id) == {many + 1: said}


def test_the_portals_database_shows_the_same(each_way):
    batch = each_way.done(DAMAGED)
    shown = each_way.shown(batch.id)
    assert (shown.state, shown.counts) == (batch.state, batch.counts)


def test_a_batch_that_is_done_is_not_done_again(each_way):
    batch = each_way.done([person(1)])
    each_way.change(delete(PERSON))
    assert each_way.run(batch.id).counts == batch.counts
    assert each_way.people() == {}


def test_a_file_that_was_changed_is_refused(batches):
    order = batches.order([person(1)])
    batch = batches.make(order=order)
    order.file.write_bytes(order.file.read_bytes() + b"x")
    job = batches.perform(batch)
    assert job.state == JobState.FAILED
    assert "was changed meanwhile" in job.reason
    assert batches.batch(batch).state is BatchState.STOPPED


def test_the_columns_must_be_enough(batches):
    batch = batches.make([{"name": "x"}], mode=Mode.UPDATE, columns=("name",), header=("name",))
    job = batches.perform(batch)
    assert "Need at least columns 'code' for import!" in job.reason


def _trigger():
    return text(
        "CREATE TRIGGER short BEFORE INSERT ON test_person WHEN length(new.name) > 50 "
        "BEGIN SELECT RAISE(ABORT, 'value too long'); END"
    )


def test_a_refused_chunk_is_looked_at_and_later_ones_are_trusted_again(runtime, tmp_path):
    batches = Batches(runtime, tmp_path, "unique")
    rows = [person(number) for number in range(900)]
    rows[150], rows[850] = person(3), person(700)
    batch = batches.done(rows)
    assert batches.errors(batch.id) == {
        151: {"code": ["Row 4 of this file has the same code."]},
        851: {"code": ["Row 701 of this file has the same code."]},
    }
    assert batch.counts.created == 898
