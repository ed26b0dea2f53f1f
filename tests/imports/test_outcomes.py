"""What an import comes to: all rows or none, in the words and the order of the original."""

import io

import pytest
from openpyxl import Workbook

from portal.imports.orders import ask_to_go_on
from portal.imports.words import ImportMode
from portal.jobs.models import JobState
from portal.rows.batch import BatchState
from portal.rows.books import open_books
from portal.rows.editing import edit_cells
from portal.rows.service import retry
from tests.imports.scenes import Desk, failed, succeeded

GOOD = "code,height\na,1\nb,2\n"


def test_a_file_is_imported_and_says_how_many_rows_there_were(desk: Desk) -> None:
    job = desk.run("trunk.csv", GOOD, table="trunk")
    assert succeeded(job) == "Successfully imported 2 row(s)"
    assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == [("a", 1), ("b", 2)]


def test_one_bad_row_keeps_all_out_and_every_bad_row_is_told(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,1\nb,tall\nc,3\n,4\n", table="trunk")
    head, second, fourth = failed(job).split("\n")
    assert head == "Errors occurred while importing the records"
    assert second == "    2: Failed to adapt value of height to integer: 'tall'"
    assert fourth == "    4: Got a blank field value: Trunk . Code"
    assert desk.rows("SELECT * FROM trunk") == []
    assert desk.batch(job).state is BatchState.REFUSED


def test_a_refused_file_is_tried_again_when_its_job_is_retried(desk: Desk) -> None:
    job = desk.run("branch.csv", "name,trunk_id\nx,1\n", table="branch")
    failed(job)
    desk.execute("INSERT INTO trunk (id, code) VALUES (1, '1')")
    assert succeeded(desk.retry(job)) == "Successfully imported 1 row(s)"


def test_failing_rows_are_repaired_in_the_grid_and_the_file_tried_again(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,1\nb,tall\n", table="trunk")
    batch = desk.batch(job)
    books = open_books(desk.runtime, batch.store)
    with books.write() as session:
        edit_cells(session, tables=books.tables, batch_id=batch.id, row=2, cells={1: "2"})
    with books.write() as session:
        again = retry(session, batch_id=batch.id, tables=books.tables)
    with desk.runtime.sessions.begin() as session:
        asked = ask_to_go_on(session, batch=again, wish=desk.wish())
    assert succeeded(desk.perform(asked)) == "Successfully imported 2 row(s)"
    assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trunk.TSV", b"code\theight\na\t1\n"),
        ("trunk.csv", "\ufeffcode;height\r\na;1\r\n".encode()),
        ("trunk.csv", "code,height\na,1\n".encode("utf-16")),
    ],
)
def test_formats_are_found(desk: Desk, name: str, content: bytes) -> None:
    assert succeeded(desk.run(name, content, table="trunk"))
    assert desk.rows("SELECT code, height FROM trunk") == [("a", 1)]


def test_a_workbook_is_imported(desk: Desk) -> None:
    book, stream = Workbook(), io.BytesIO()
    for row in (["code", "height"], ["a", 1], ["b", 2]):
        book.active.append(row)
    book.save(stream)
    job = desk.run("trunk.xlsx", stream.getvalue(), table="trunk")
    assert succeeded(job) == "Successfully imported 2 row(s)"


def test_a_workbook_that_is_none_is_refused_in_words(desk: Desk) -> None:
    assert "Traceback" not in failed(desk.run("trunk.xlsx", b"no workbook", table="trunk"))


def test_an_empty_file_is_refused_in_words(desk: Desk) -> None:
    said = failed(desk.run("trunk.csv", b"", table="trunk"))
    assert "Something went wrong" not in said


def test_what_failed_stands_in_the_result_too(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,tall\n", table="trunk")
    assert job.result["text"] == failed(job)
    assert job.result["failed"] == 1


def test_a_partial_import_takes_the_good_rows_and_says_both(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,1\nb,tall\n", table="trunk", partial=True)
    lines = succeeded(job).split("\n")
    assert lines[0] == "Errors occurred while importing the records"
    assert lines[-1] == "Successfully imported 1 row(s)"
    assert desk.rows("SELECT code FROM trunk") == [("a",)]


def test_the_table_is_looked_for_before_the_format(desk: Desk) -> None:
    job = desk.run("dummy.txt", "dummy", table="nowhere")
    assert failed(job) == "Table does not exist: nowhere"


@pytest.mark.parametrize("name", ["dummy.txt", "dummy.TXT"])
def test_the_format_is_looked_at_before_the_header(desk: Desk, name: str) -> None:
    assert failed(desk.run(name, "dummy", table="trunk")) == "Unsupported file format: TXT"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("code,code", "Incoming dataset has duplicate column headers"),
        ("code,height,width,age", "Incoming dataset describes extra columns: age, width"),
        ("code", "Incoming dataset is missing columns: height"),
    ],
)
def test_the_header_is_looked_at_before_the_rows(desk: Desk, header: str, said: str) -> None:
    assert failed(desk.run("trunk.csv", f"{header}\nx,tall\n", table="trunk")) == said


def test_columns_stand_in_any_order_and_what_the_table_makes_up_may_be_there(desk: Desk) -> None:
    job = desk.run("trunk.csv", "height,id,code\n1,7,a\n", table="trunk")
    assert succeeded(job) == "Successfully imported 1 row(s)"
    assert desk.rows("SELECT id, code, height FROM trunk") == [(7, "a", 1)]


def test_a_link_that_leads_nowhere_is_told_as_the_original_did(desk: Desk) -> None:
    job = desk.run("branch.csv", "name,trunk_id\nx,3\n", table="branch")
    assert failed(job).split("\n")[1] == "    1: Unable to resolve a link: trunk[3]"


def test_a_ragged_row_is_told_as_the_original_did(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,1,2\n", table="trunk")
    assert failed(job).split("\n")[1] == "    1: Incorrect number of columns"


def test_rows_are_updated_upserted_and_deleted(desk: Desk) -> None:
    desk.run("trunk.csv", GOOD, table="trunk")
    desk.run("more.csv", "code,height\na,10\n", table="trunk", mode=ImportMode.UPDATE)
    desk.run("more.csv", "code,height\nb,20\nc,30\n", table="trunk", mode=ImportMode.UPSERT)
    job = desk.run("gone.csv", "code\na\n", table="trunk", mode=ImportMode.DELETE)
    assert succeeded(job) == "Successfully imported 1 row(s)"
    assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == [("b", 20), ("c", 30)]


def test_a_deleted_row_comes_back_when_that_is_undone(desk: Desk) -> None:
    desk.run("trunk.csv", GOOD, table="trunk")
    job = desk.run("gone.csv", "code\na\n", table="trunk", mode=ImportMode.DELETE)
    said = succeeded(desk.undo(job))
    assert said == "1 row(s) as they were before; 0 changed since and kept"
    assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == [("a", 1), ("b", 2)]


def test_an_undone_import_leaves_the_table_as_it_was(desk: Desk) -> None:
    job = desk.run("trunk.csv", GOOD, table="trunk")
    succeeded(desk.undo(job))
    assert desk.rows("SELECT * FROM trunk") == []


def test_a_row_that_was_changed_since_is_kept_and_named(desk: Desk) -> None:
    job = desk.run("trunk.csv", GOOD, table="trunk")
    desk.execute("UPDATE trunk SET height = 9 WHERE code = 'b'")
    head, kept = succeeded(desk.undo(job)).split("\n")
    assert head == "1 row(s) as they were before; 1 changed since and kept"
    assert kept.startswith("    2: ")
    assert desk.rows("SELECT code, height FROM trunk") == [("b", 9)]


def test_imports_into_a_table_wait_for_each_other_and_dry_runs_do_not(desk: Desk) -> None:
    first = desk.ask("trunk.csv", GOOD, table="trunk")
    plan = desk.ask("trunk.csv", GOOD, table="trunk", dry_run=True)
    other = desk.ask("branch.csv", "name,trunk_id\n", table="branch")
    lanes = [asked.job.lane for asked in (first, plan, other)]
    one_writer = ["tables:default", None, "tables:default"]
    postgresql = desk.runtime.tables.dialect.name == "postgresql"
    assert lanes == (["table:trunk", None, "table:branch"] if postgresql else one_writer)


def test_a_dry_run_changes_nothing_and_says_what_would_be(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,1\nb,tall\n", table="trunk", dry_run=True)
    assert succeeded(job) == "1 to insert, 0 to update, 0 unchanged, 0 to delete, 1 refused"
    assert desk.rows("SELECT * FROM trunk") == []


def test_the_same_file_again_is_noticed_and_only_warned_of(desk: Desk) -> None:
    desk.run("trunk.csv", GOOD, table="trunk")
    asked = desk.ask("copy.csv", GOOD, table="trunk", partial=True)
    assert asked.earlier is not None
    job = desk.perform(asked)
    assert job.state == JobState.SUCCEEDED
    assert job.result["warning"].startswith("The same file was imported into this table on ")


def test_a_file_whose_import_was_undone_is_none_that_was_imported(desk: Desk) -> None:
    desk.undo(desk.run("trunk.csv", GOOD, table="trunk"))
    asked = desk.ask("trunk.csv", GOOD, table="trunk")
    assert asked.earlier is None
    assert "warning" not in desk.perform(asked).result


def test_the_same_file_in_another_mode_is_no_repetition(desk: Desk) -> None:
    desk.run("trunk.csv", GOOD, table="trunk")
    assert desk.ask("trunk.csv", GOOD, table="trunk", mode=ImportMode.UPSERT).earlier is None
