"""An import that was undone is done again: in the shell, on its page, and for whom."""

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.errors import ConflictError, ForbiddenError
from portal.imports import orders
from portal.imports.words import ImportMode
from portal.jobs.models import Job
from portal.tables.actions import Action
from portal.tables.grants import set_grants
from tests.imports.browsing import clerk_of, words
from tests.imports.scenes import Desk, succeeded
from tests.imports.test_commands import Shell, answer, run, shell

__all__ = ["shell"]
FILE = "code,height\na,1\nb,2\n"


def redo(desk: Desk, job: Job) -> Job:
    batch = desk.batch(job)
    with desk.runtime.sessions.begin() as session:
        asked = orders.ask_to_redo(session, batch=batch, wish=desk.wish())
    return desk.perform(asked)


@pytest.fixture
def undone(desk: Desk) -> Job:
    desk.run("trunk.csv", FILE, table="trunk")
    text = "code,height\na,10\nc,3\n"
    job = desk.run("more.csv", text, table="trunk", mode=ImportMode.UPSERT)
    succeeded(desk.undo(job))
    return job


def trunk(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("SELECT code, height FROM trunk ORDER BY code")


def test_the_table_is_as_the_import_left_it(desk: Desk, undone: Job) -> None:
    said = succeeded(redo(desk, undone))
    assert said == "2 row(s) as the import made them; 0 changed since and left"
    assert trunk(desk) == [("a", 10), ("b", 2), ("c", 3)]


def test_rows_that_were_changed_since_are_left_and_listed(desk: Desk, undone: Job) -> None:
    desk.execute("UPDATE trunk SET height = 7 WHERE code = 'a'")
    job = redo(desk, undone)
    assert succeeded(job).split("\n") == [
        "1 row(s) as the import made them; 1 changed since and left",
        "    1: Not done again. It was changed after the undo.",
    ]
    assert (job.result["redone"], job.result["left"]) == (1, 1)
    assert trunk(desk) == [("a", 7), ("b", 2), ("c", 3)]


def test_undo_and_redo_take_turns(desk: Desk, undone: Job) -> None:
    for _ in range(2):
        succeeded(redo(desk, undone))
        assert trunk(desk) == [("a", 10), ("b", 2), ("c", 3)]
        succeeded(desk.undo(undone))
        assert trunk(desk) == [("a", 1), ("b", 2)]


def test_rows_whose_key_the_database_makes_get_it_again(desk: Desk) -> None:
    numbered = "INTEGER" if desk.runtime.tables.dialect.name == "sqlite" else "serial"
    desk.execute(f"CREATE TABLE leaf (id {numbered} PRIMARY KEY, colour varchar(20))")
    job = desk.run("leaf.csv", "colour\nred\ngreen\n", table="leaf")
    before = desk.rows("SELECT id, colour FROM leaf ORDER BY id")
    desk.undo(job)
    assert succeeded(redo(desk, job)).startswith("2 row(s)")
    assert desk.rows("SELECT id, colour FROM leaf ORDER BY id") == before


def test_what_was_not_undone_cannot_be_done_again(desk: Desk) -> None:
    job = desk.run("trunk.csv", FILE, table="trunk")
    with pytest.raises(ConflictError, match="was undone"):
        redo(desk, job)


def test_a_job_that_is_tried_again_does_nothing_twice(desk: Desk, undone: Job) -> None:
    first = redo(desk, undone)
    assert desk.batch(first).counts == desk.batch(undone).counts
    desk.execute("DELETE FROM trunk WHERE code = 'c'")
    with pytest.raises(ConflictError):
        redo(desk, undone)
    assert trunk(desk) == [("a", 10), ("b", 2)]


def test_who_may_not_do_what_the_import_does_may_not_do_it_again(desk: Desk, undone: Job) -> None:
    with desk.runtime.sessions.begin() as session:
        set_grants(
            session,
            settings=desk.runtime.settings,
            actor=desk.actor,
            table="trunk",
            grants=frozenset({(Role.IMPORT_MANAGER, Action.REMOVE)}),
            now=desk.runtime.clock(),
        )
    clerk = desk.person("clara", Role.IMPORT_MANAGER)
    with pytest.raises(ForbiddenError):
        redo(clerk, undone)


def test_the_shell_does_an_import_again(shell: Shell, undone: Job) -> None:
    said = run(shell, "redo", undone.id, "--wait")
    assert said.exit_code == 0, said.output
    assert said.stdout == "2 row(s) as the import made them; 0 changed since and left\n"
    assert answer(shell, "show", undone.id)["may_redo"] is False


def test_the_page_offers_it_once_an_import_was_undone(app: Flask, desk: Desk) -> None:
    clerk = clerk_of(app, desk, "ada", Role.ADMIN)
    location = clerk.run("trunk.csv", FILE)
    assert "import-redo" not in clerk.browser.get(location).text
    clerk.press(location, "undo")
    assert 'id="import-redo"' in clerk.browser.get(location).text
    again = clerk.press(location, "redo")
    assert "2 row(s) as the import made them" in words(clerk.browser.get(again).text)
    assert "import-redo" not in clerk.browser.get(location).text
    assert "import-undo" in clerk.browser.get(location).text
