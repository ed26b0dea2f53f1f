"""Rows that change the record they name, or make it where there is none."""

from sqlalchemy import update

from portal.rows.processors import Mode
from portal.rows.treatment import Treatment
from portal.tabular.fields import Empty
from tests.rows.people import PERSON, person

SIZE = 24


def upsert(batches, rows, **values):
    return batches.done(rows, mode=Mode.UPSERT, **values)


def half_there(batches):
    batches.done([person(number) for number in range(0, SIZE, 2)])


def test_records_that_are_there_are_changed_and_the_others_made(each_way):
    half_there(each_way)
    batch = upsert(each_way, [person(number, age="7") for number in range(SIZE)])
    counts = batch.counts
    assert (counts.created, counts.updated, counts.processed) == (SIZE // 2, SIZE // 2, SIZE)
    assert {row.age for row in each_way.people().values()} == {7}
    assert len(each_way.people()) == SIZE


def test_the_same_file_again_changes_nothing(each_way):
    rows = [person(number) for number in range(SIZE)]
    upsert(each_way, rows)
    assert upsert(each_way, rows).counts.unchanged == SIZE


def test_the_first_of_two_rows_wins_and_the_second_names_it(each_way):
    batch = upsert(each_way, [person(1, age="1"), person(2), person(1, age="2")])
    assert (batch.counts.created, batch.counts.failed) == (2, 1)
    assert each_way.errors(batch.id) == {3: {"code": ["Row 1 of this file has the same code."]}}
    assert each_way.people()["c1"].age == 1


def test_a_bad_row_keeps_no_other_from_being_done(each_way):
    half_there(each_way)
    rows = [person(number, name="Nobody" if number in (4, 5) else "New") for number in range(SIZE)]
    batch = upsert(each_way, rows)
    assert sorted(each_way.errors(batch.id)) == [5, 6]
    assert batch.counts.failed == 2
    assert each_way.people()["c4"].name == "Name 4"


def test_undo_takes_the_new_ones_back_and_gives_the_others_what_they_had(each_way):
    half_there(each_way)
    before = each_way.people()
    batch = upsert(each_way, [person(number, age="7", city="") for number in range(SIZE)])
    undone = each_way.undo(batch.id)
    assert (undone.undone, undone.kept) == (SIZE, 0)
    assert each_way.people() == before


def test_undo_keeps_what_was_changed_since(each_way):
    half_there(each_way)
    batch = upsert(each_way, [person(number, age="7") for number in range(SIZE)])
    each_way.change(update(PERSON).where(PERSON.c.code.in_(["c2", "c3"])).values(age=9))
    undone = each_way.undo(batch.id)
    assert (undone.undone, undone.kept) == (SIZE - 2, 2)
    assert {"c2", "c3"} <= set(each_way.people())


def test_a_dry_run_tells_both_and_does_neither(each_way):
    half_there(each_way)
    before = each_way.people()
    rows = [person(number, age="7") for number in range(SIZE)]
    planned = upsert(each_way, rows, dry_run=True)
    assert (planned.counts.created, planned.counts.updated) == (SIZE // 2, SIZE // 2)
    assert each_way.people() == before


def test_an_empty_cell_leaves_a_record_alone_but_makes_none_without_what_it_needs(each_way):
    half_there(each_way)
    batch = upsert(each_way, [person(2, name=""), person(3, name="")])
    assert batch.counts.unchanged == 1
    assert list(each_way.errors(batch.id)[2]) == ["name"]
    assert each_way.people()["c2"].name == "Name 2"


def test_a_row_done_again_is_not_done_over_one_that_was_good(each_way):
    batch = upsert(each_way, [person(1, age="x"), person(2, age="5")])
    each_way.edit(batch.id, 1, {0: "c2", 2: "6"})
    again = each_way.retry(batch.id)
    assert again.counts.failed == 1
    assert "Row 2 of this file" in each_way.errors(batch.id)[1]["code"][0]
    assert each_way.people()["c2"].age == 5


def test_empty_cells_mean_what_was_ordered(each_way):
    half_there(each_way)
    order = each_way.order(
        [person(2, age="")],
        mode=Mode.UPSERT,
        treatment=Treatment(empty={"age": Empty.CLEAR}),
    )
    each_way.run(each_way.make(order=order))
    assert each_way.people()["c2"].age is None
