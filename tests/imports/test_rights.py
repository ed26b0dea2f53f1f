"""Who may import into which table: asked at the request, and again by the worker."""

from collections.abc import Callable

import pytest

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import ForbiddenError, NotFoundError
from portal.imports import orders
from portal.imports.listing import Wanted, list_page
from portal.imports.looking import view_import
from portal.imports.words import ImportMode
from portal.tables.actions import Action
from portal.tables.grants import set_grants
from tests.imports.scenes import Desk, failed, succeeded

GOOD = "code,height\na,1\n"
Grant = Callable[..., None]


@pytest.fixture
def grant(desk: Desk) -> Grant:
    def run(table: str, *actions: Action) -> None:
        with desk.runtime.sessions.begin() as session:
            set_grants(
                session,
                settings=desk.runtime.settings,
                actor=SYSTEM,
                table=table,
                grants=frozenset((Role.IMPORT_MANAGER, action) for action in actions),
                now=desk.runtime.clock(),
            )

    return run


@pytest.fixture
def clerk(desk: Desk) -> Desk:
    return desk.person("berta", Role.IMPORT_MANAGER)


def test_an_import_manager_imports_where_that_is_granted(clerk: Desk, grant: Grant) -> None:
    grant("trunk", Action.CREATE)
    assert succeeded(clerk.run("trunk.csv", GOOD, table="trunk"))


def test_a_mode_that_is_not_granted_is_refused_at_once(clerk: Desk, grant: Grant) -> None:
    grant("trunk", Action.CREATE)
    with pytest.raises(ForbiddenError, match="may not upsert rows of the table 'trunk'"):
        clerk.ask("trunk.csv", GOOD, table="trunk", mode=ImportMode.UPSERT)


def test_a_table_that_one_may_not_see_does_not_exist(clerk: Desk, grant: Grant) -> None:
    grant("trunk")
    job = clerk.run("trunk.csv", GOOD, table="trunk")
    assert failed(job) == "Table does not exist: trunk"


def test_a_right_that_is_taken_away_meanwhile_stops_the_job(clerk: Desk, grant: Grant) -> None:
    grant("trunk", Action.CREATE)
    asked = clerk.ask("trunk.csv", GOOD, table="trunk")
    grant("trunk", Action.BROWSE)
    assert failed(clerk.perform(asked)) == "The person who asked for it no longer has the right to."
    assert clerk.rows("SELECT * FROM trunk") == []


@pytest.mark.parametrize("role", [Role.DATA_MANAGER, Role.EXPORT_MANAGER, Role.MEMBER])
def test_who_runs_no_imports_stores_no_file(desk: Desk, role: Role) -> None:
    with pytest.raises(ForbiddenError, match="may not import"):
        desk.person("karl", role).store("trunk.csv", GOOD)


def test_who_runs_no_imports_asks_for_none(desk: Desk) -> None:
    order = orders.ImportOrder.of(desk.store("trunk.csv", GOOD), table="trunk")
    with pytest.raises(ForbiddenError, match="may not import"):
        desk.person("karl", Role.DATA_MANAGER).ask_for(order)


def listed(desk: Desk, actor: Actor) -> int:
    with desk.runtime.reads() as session:
        found = list_page(session, runtime=desk.runtime, actor=actor, wanted=Wanted(), limit=50)
        return len(found)


def test_imports_are_listed_for_those_who_may_see_the_table(
    desk: Desk, clerk: Desk, grant: Grant
) -> None:
    job = desk.run("trunk.csv", GOOD, table="trunk")
    grant("trunk", Action.BROWSE)
    assert listed(desk, clerk.actor) == 1
    grant("trunk")
    assert listed(desk, clerk.actor) == 0
    with clerk.runtime.reads() as session, pytest.raises(NotFoundError):
        view_import(session, wish=clerk.wish(), typed=job.id)


def test_rows_are_hidden_from_the_requester_once_the_table_is(clerk: Desk, grant: Grant) -> None:
    grant("trunk", Action.CREATE)
    job = clerk.run("trunk.csv", "code,height\na,tall\n", table="trunk")
    grant("trunk")
    with clerk.runtime.reads() as session:
        seen = view_import(session, wish=clerk.wish(), typed=job.id)
    assert seen.failing == ()


def test_an_undo_needs_the_table(desk: Desk, clerk: Desk, grant: Grant) -> None:
    job = desk.run("trunk.csv", GOOD, table="trunk")
    grant("trunk", Action.BROWSE)
    with pytest.raises(ForbiddenError):
        clerk.undo(job)


@pytest.mark.parametrize(
    ("mode", "needs"),
    [
        (ImportMode.INSERT, {Action.REMOVE}),
        (ImportMode.UPDATE, {Action.UPDATE}),
        (ImportMode.UPSERT, {Action.UPDATE, Action.REMOVE}),
        (ImportMode.DELETE, {Action.CREATE}),
    ],
)
def test_an_undo_needs_the_right_to_what_it_does(
    desk: Desk, clerk: Desk, grant: Grant, mode: ImportMode, needs: set[Action]
) -> None:
    desk.execute("INSERT INTO trunk (code, height) VALUES ('a', 0)")
    text = "code,height\nb,1\n" if mode is ImportMode.INSERT else GOOD
    job = desk.run("trunk.csv", text, table="trunk", mode=mode)
    every = {Action.BROWSE, Action.CREATE, Action.UPDATE, Action.REMOVE}
    for needed in needs:
        grant("trunk", *(every - {needed}))
        with pytest.raises(ForbiddenError, match="To undo this import is to"):
            clerk.undo(job)
    grant("trunk", Action.BROWSE, *needs)
    assert succeeded(clerk.undo(job)).startswith("1 row(s) as they were before")


def test_a_right_to_undo_that_is_taken_away_meanwhile_stops_the_job(
    desk: Desk, clerk: Desk, grant: Grant
) -> None:
    batch = desk.batch(desk.run("trunk.csv", GOOD, table="trunk"))
    grant("trunk", Action.REMOVE)
    with desk.runtime.sessions.begin() as session:
        asked = orders.ask_to_undo(session, batch=batch, wish=clerk.wish())
    grant("trunk", Action.CREATE)
    assert failed(clerk.perform(asked)) == "The person who asked for it no longer has the right to."
    assert clerk.rows("SELECT code FROM trunk") == [("a",)]
