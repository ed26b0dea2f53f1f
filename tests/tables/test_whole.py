"""Files that are imported as a whole or not at all, and what is told of those that were not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.accounts.permissions import Role
from portal.rows.batch import Batch, BatchState
from portal.rows.books import open_books
from portal.rows.editing import failing
from portal.rows.processors import Store
from portal.runtime import Runtime
from portal.tables.catalog import catalog_of
from portal.tables.result_text import result_text
from tests.browser_like import Browser
from tests.tables.batches import TableBatches
from tests.tables.conftest import Execute, Rows

TRUNK = """CREATE TABLE trunk (
    code integer NOT NULL, title varchar(20) NOT NULL, CONSTRAINT trunk_pk PRIMARY KEY (code))"""
BRANCH = """CREATE TABLE branch (
    trunk_id integer NOT NULL REFERENCES trunk (code), code varchar(8) NOT NULL, label text UNIQUE,
    CONSTRAINT branch_pk PRIMARY KEY (trunk_id, code))"""
TWO = [{"code": "1", "title": "One"}, {"code": "2", "title": "Two"}]
DRIVER = {
    "postgresql": (
        'duplicate key value violates unique constraint "trunk_pk"\n'
        "DETAIL:  Key (code)=({code}) already exists."
    ),
    "sqlite": "UNIQUE constraint failed: trunk.code",
}


@pytest.fixture
def batches(runtime: Runtime, tmp_path: Path, execute: Execute) -> TableBatches:
    execute(TRUNK, BRANCH)
    return TableBatches(runtime, tmp_path)


@pytest.fixture
def told(runtime: Runtime) -> Callable[[Batch, str], str]:
    """`told(batch, table)`: the result of an import in words."""

    def tell(batch: Batch, table: str) -> str:
        books, shape = open_books(runtime, Store.TABLES), catalog_of(runtime).find(table)
        with books.read() as session:
            page = failing(session, tables=books.tables, batch=batch)
        return result_text(batch.counts, page.entries, shape=shape)

    return tell


def run(batches: TableBatches, table: str, rows: list[dict[str, str]], **values: object) -> Batch:
    return batches.run(table, rows, whole=True, original=True, **values)


def test_the_same_file_twice_is_told_in_the_words_of_the_original(
    runtime: Runtime, batches: TableBatches, told: Callable[[Batch, str], str], rows_of: Rows
) -> None:
    assert told(run(batches, "trunk", TWO), "trunk") == "Successfully imported 2 row(s)"
    again = run(batches, "trunk", TWO)
    what = "Got a duplicate identity: Trunk . Code, Which triggered an error from the database"
    said = DRIVER[runtime.tables.dialect.name]
    assert told(again, "trunk") == "\n".join(
        [
            "Errors occurred while importing the records",
            f"    1: {what} driver: {said.format(code=1)}",
            f"    2: {what} driver: {said.format(code=2)}",
        ]
    )
    assert rows_of("SELECT count(*) FROM trunk") == [(2,)]


def test_each_kind_of_bad_row_has_its_words_in_one_run(
    batches: TableBatches, told: Callable[[Batch, str], str], rows_of: Rows
) -> None:
    run(batches, "trunk", TWO)
    run(batches, "branch", [{"trunk_id": "1", "code": "a", "label": "x"}])
    rows = [
        {"trunk_id": "1", "code": "a", "label": "y"},
        {"trunk_id": "3", "code": "b", "label": "z"},
        {"trunk_id": "1", "code": "c", "label": "x"},
        {"trunk_id": "2", "code": "", "label": "w"},
        {"trunk_id": "2", "code": "fine", "label": "v"},
    ]
    batch = run(batches, "branch", rows)
    lines = [line for line in told(batch, "branch").splitlines() if line.startswith("    ")]
    assert [line.partition(", Which")[0] for line in lines] == [
        "    1: Got a duplicate identity: Branch . (Trunk, Code)",
        "    2: Unable to resolve a link: trunk[3]",
        "    3: Got a duplicate field value: Branch . Label",
        "    4: Got a blank field value: Branch . Code",
    ]
    assert batch.state is BatchState.REFUSED
    assert rows_of("SELECT count(*) FROM branch") == [(1,)]


def test_a_long_file_of_which_every_row_is_there_is_told_whole(
    batches: TableBatches, rows_of: Rows
) -> None:
    rows = [{"code": str(n), "title": "T"} for n in range(1500)]
    run(batches, "trunk", rows)
    batch = run(batches, "trunk", rows)
    errors = batches.errors(batch)
    assert len(errors) == batch.counts.failed == 1500
    assert all(
        texts[0].startswith("Got a duplicate identity: Trunk . Code")
        for row in errors.values()
        for texts in row.values()
    )
    assert rows_of("SELECT count(*) FROM trunk") == [(1500,)]


def test_other_batches_keep_the_plain_words(batches: TableBatches) -> None:
    batches.run("trunk", TWO)
    errors = batches.errors(batches.run("trunk", TWO))
    assert errors[1] == {"": ["This object already exists."]}


def test_the_page_says_that_nothing_was_imported_and_offers_to_try_again(
    batches: TableBatches, sign_in: Callable[..., Browser]
) -> None:
    batch = batches.run("trunk", [*TWO, {"code": "x", "title": "T"}], whole=True, kind="datacenter")
    admin = sign_in(Role.ADMIN)
    text = admin.get(f"/rows/{batch.id}").text
    assert "Nothing was imported" in text
    assert "Try again" in text
    assert "Retry chosen" not in text
    skipped = admin.post(f"/rows/{batch.id}/skip", {"row": "3", "reason": "not needed"})
    assert skipped.headers["Location"] == f"/rows/{batch.id}"
    text = admin.get(f"/rows/{batch.id}").text
    assert "No row fails any more" in text
    assert "Try again" in text
