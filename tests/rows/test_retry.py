"""Failed rows: paged, edited, replaced, skipped, done again; the sum stays true."""

import pytest
from sqlalchemy import event, select

from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.rows import service
from portal.rows.batch import BatchState
from portal.rows.editing import edit_seen, failing, mark_of, replace_value, skip_all
from portal.rows.processors import Mode
from tests.rows.people import person
from tests.transactions import Transactions


def page(batches, batch_id, **values):
    with batches.books.read() as session:
        batch = batches.batch(batch_id)
        return failing(session, tables=batches.books.tables, batch=batch, **values)


def failed(batches, number=3, **values):
    """A batch all of whose rows failed."""
    return batches.done([person(row, age="old") for row in range(1, number + 1)], **values)


def test_failed_rows_come_in_pages(batches):
    batch = failed(batches, 5)
    first = page(batches, batch.id, limit=3)
    assert [entry.first_row for entry in first.entries] == [1, 2, 3]
    last = page(batches, batch.id, after=first.following, limit=3)
    assert [entry.first_row for entry in last.entries] == [4, 5]
    assert last.following is None


def test_a_page_is_read_by_an_index_in_one_statement(batches):
    batch = failed(batches, 300)
    statements = []
    with batches.books.read() as session:
        event.listen(
            batches.database,
            "before_cursor_execute",
            lambda _c, _u, statement, *_: statements.append(statement),
        )
        failing(session, tables=batches.books.tables, batch=batch, after=150)
    (statement,) = [text for text in statements if "row_entry" in text]
    assert "first_row >" in statement
    assert "LIMIT" in statement


def test_an_edited_row_is_done_again(each_way):
    batch = failed(each_way)
    each_way.edit(batch.id, 2, {2: "41"})
    again = each_way.retry(batch.id)
    assert each_way.people()["c2"].age == 41
    assert (again.counts.created, again.counts.failed, again.counts.unprocessed) == (1, 2, 0)
    assert again.attempt == 2


def test_only_the_chosen_rows_are_done_again(each_way):
    batch = failed(each_way)
    for row in (1, 2, 3):
        each_way.edit(batch.id, row, {2: "41"})
    again = each_way.retry(batch.id, rows=[1, 3])
    assert set(each_way.people()) == {"c1", "c3"}
    assert each_way.outcomes(again.id) == {1: "created", 2: "failed", 3: "created"}


def test_the_cells_of_the_file_stay_beside_the_edits(batches):
    batch = failed(batches, 1)
    entry = batches.edit(batch.id, 1, {2: "41"})
    assert entry.cells[2] == "old"
    assert entry.effective(width=5)[2] == "41"


def test_typing_the_files_own_text_takes_an_edit_back(batches):
    batch = failed(batches, 1)
    batches.edit(batch.id, 1, {2: "41"})
    assert batches.edit(batch.id, 1, {2: "old"}).edited == {}


def test_an_edited_ragged_row_gets_the_width_of_the_header(batches):
    batch = batches.done([["c1", "Ann"], ["c2", "Bob", "7", "", "Rome", "more"]])
    batches.edit(batch.id, 1, {2: "41"})
    batches.edit(batch.id, 2, {4: "Bonn"})
    assert batches.retry(batch.id).counts.created == 2
    assert batches.people()["c1"].age == 41
    assert batches.people()["c2"].city == "Bonn"


def test_a_value_is_replaced_in_all_failed_rows(batches):
    rows = [person(row, age="old" if row % 2 else "older") for row in range(500)]
    batch = batches.done(rows)
    transactions = Transactions(batches.runtime.engine)
    assert replace_value(batches.books, batch_id=batch.id, column=2, old="old", new="50") == 250
    transactions.assert_short()
    assert batches.retry(batch.id).counts.created == 250


def test_a_replacement_meets_what_was_typed_before(batches):
    batch = failed(batches, 2)
    batches.edit(batch.id, 1, {2: "typed"})
    assert replace_value(batches.books, batch_id=batch.id, column=2, old="typed", new="5") == 1


def test_skipped_rows_tell_why_and_count_as_skipped(each_way):
    batch = failed(each_way)
    assert each_way.skip(batch.id, [1, 3, 99], reason="left the school") == 2
    counts = each_way.batch(batch.id).counts
    assert (counts.skipped, counts.failed, counts.unprocessed) == (2, 1, 0)
    assert each_way.entries(batch.id)[0].skip_reason == "left the school"


def test_all_failed_rows_can_be_skipped_in_short_transactions(batches):
    batch = failed(batches, 450)
    transactions = Transactions(batches.runtime.engine)
    assert skip_all(batches.books, batch_id=batch.id, reason="old") == 450
    transactions.assert_short()
    assert batches.batch(batch.id).counts.skipped == 450


def test_a_skip_needs_a_reason(batches):
    batch = failed(batches)
    with pytest.raises(InvalidError, match="Say why"):
        batches.skip(batch.id, [1], reason=" ")


def test_a_row_that_did_not_fail_cannot_be_edited(batches):
    batch = batches.done([person(1)])
    with pytest.raises(NotFoundError):
        batches.edit(batch.id, 1, {0: "x"})


def test_a_column_that_is_not_there_cannot_be_edited(batches):
    batch = failed(batches)
    with pytest.raises(InvalidError, match="5 columns"):
        batches.edit(batch.id, 1, {5: "x"})


def test_nothing_is_edited_while_the_batch_runs(batches):
    batch = failed(batches)
    table = batches.books.tables.batch
    batches.change(table.update().values(state=str(BatchState.RUNNING)))
    with pytest.raises(ConflictError, match="being worked on"):
        batches.edit(batch.id, 1, {0: "x"})
    with batches.books.read() as session:
        assert session.scalar(select(table.c.state)) == "running"


def test_a_batch_without_failures_is_not_retried(batches):
    batch = batches.done([person(1)])
    with pytest.raises(ConflictError, match="No row"), batches.books.write() as session:
        service.retry(session, batch_id=batch.id)


def test_a_retry_cannot_update_what_a_row_of_the_file_updated(each_way):
    each_way.done([person(1), person(2)])
    rows = [person(1, name="A"), person(2, age="x")]
    batch = each_way.done(rows, mode=Mode.UPDATE)
    each_way.edit(batch.id, 2, {0: "c1", 2: "5"})
    each_way.retry(batch.id)
    assert each_way.errors(batch.id) == {2: {"code": ["Row 1 of this file has the same code."]}}
    assert each_way.people()["c1"].name == "A"


def test_a_retried_removal_goes_to_the_same_backup(each_way):
    each_way.done([person(1), person(2)])
    batch = each_way.done([person(1), person(9)], mode=Mode.REMOVE)
    each_way.edit(batch.id, 2, {0: "c2"})
    again = each_way.retry(batch.id)
    assert len(each_way.backup(batch.id)) == 2
    assert again.counts.removed == 2
    assert again.backup_bytes > batch.backup_bytes


def test_many_failed_rows_are_done_again_in_short_transactions(batches):
    batch = failed(batches, 450)
    replace_value(batches.books, batch_id=batch.id, column=2, old="old", new="50")
    with batches.books.write() as session:
        service.retry(session, batch_id=batch.id)
    transactions = Transactions(batches.runtime.engine)
    assert batches.run(batch.id).counts.created == 450
    transactions.assert_short()


def test_many_failed_rows_are_read_a_page_at_a_time(batches):
    batch = failed(batches, 1_200)
    reads = []
    event.listen(
        batches.database,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: (
            reads.append(statement)
            if statement.startswith("SELECT row_entry") and "outcome" in statement
            else None
        ),
    )
    again = batches.retry(batch.id)
    assert again.counts.failed == 1_200
    assert 0 < len(reads) <= 8


def type_over(batches, batch_id, row, cells, *, seen):
    """Type over cells as somebody does whose page shows `seen`, by column."""
    marks = {at: mark_of(text) for at, text in seen.items()}
    with batches.books.write() as session:
        return edit_seen(
            session,
            tables=batches.books.tables,
            batch_id=batch_id,
            row=row,
            cells=cells,
            seen=marks,
        )


def test_the_second_of_two_typists_does_not_write_over_the_first(batches):
    batch = failed(batches, 1)
    type_over(batches, batch.id, 1, {2: "41"}, seen={2: "old"})
    second = type_over(batches, batch.id, 1, {2: "42"}, seen={2: "old"})
    assert second.kept_out == {2: "42"}
    assert second.entry.edited == {"2": "41"}
    third = type_over(batches, batch.id, 1, {2: "42"}, seen={2: "41"})
    assert (third.kept_out, third.entry.edited) == ({}, {"2": "42"})


def test_typists_of_different_cells_of_a_row_do_not_meet(batches):
    batch = failed(batches, 1)
    whole = dict(enumerate(batches.edit(batch.id, 1, {}).cells))
    type_over(batches, batch.id, 1, whole | {2: "41"}, seen=whole)
    second = type_over(batches, batch.id, 1, whole | {1: "Zoe"}, seen=whole)
    assert second.kept_out == {}
    assert second.entry.edited == {"1": "Zoe", "2": "41"}


def test_two_who_type_the_same_do_not_meet(batches):
    batch = failed(batches, 1)
    type_over(batches, batch.id, 1, {2: "41"}, seen={2: "old"})
    assert type_over(batches, batch.id, 1, {2: "41"}, seen={2: "old"}).kept_out == {}
