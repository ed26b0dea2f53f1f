"""Killed around any of its commits, a table is made once and filled once, and a redo ends whole."""

import signal

import pytest

from portal.imports import orders
from portal.imports.creating.orders import ask_to_create
from portal.imports.orders import Asked, ImportOrder
from portal.imports.words import ImportMode
from portal.jobs.models import Job
from portal.tables.new_tables import ColumnKind, NewColumn, NewTable
from tests.imports.scenes import Desk, succeeded
from tests.imports.test_crashes import MOST, Killing, killing, perform_after_death

__all__ = ["killing"]
FILE = "code,height\na,1\nb,2\n"
MOMENTS = pytest.mark.parametrize("moment", ["before", "after"])


def ask_for_table(desk: Desk, name: str) -> Asked:
    columns = (
        NewColumn(name="code", required=True, key=True),
        NewColumn(name="height", kind=ColumnKind.INTEGER),
    )
    table = NewTable(name=name, columns=columns)
    stored = desk.store("trunk.csv", FILE)
    order = ImportOrder.of(stored, table=name, columns=("code", "height"))
    with desk.runtime.sessions.begin() as session:
        return ask_to_create(session, table=table, order=order, wish=desk.wish())


def ask_to_redo(desk: Desk, job: Job) -> Asked:
    batch = desk.batch(job)
    with desk.runtime.sessions.begin() as session:
        return orders.ask_to_redo(session, batch=batch, wish=desk.wish())


@MOMENTS
def test_a_table_that_was_half_made_is_made_and_filled_once(
    desk: Desk, killing: Killing, moment: str
) -> None:
    deaths = 0
    for commit in range(1, MOST):
        name = f"made_{commit}"
        asked = ask_for_table(desk, name)
        died = killing(asked.job.id, commit, moment) == -signal.SIGKILL
        job = perform_after_death(desk, asked.job.id)
        assert succeeded(job).endswith("Successfully imported 2 row(s)")
        assert desk.rows(f"SELECT code, height FROM {name} ORDER BY code") == [("a", 1), ("b", 2)]
        deaths += died
        if not died:
            break
    assert 5 <= deaths < MOST - 1


@MOMENTS
def test_what_is_done_again_is_done_once(desk: Desk, killing: Killing, moment: str) -> None:
    desk.run("trunk.csv", FILE, table="trunk")
    upsert = "code,height\na,10\nc,3\nd,4\n"
    job = desk.run("more.csv", upsert, table="trunk", mode=ImportMode.UPSERT)
    done = [("a", 10), ("b", 2), ("c", 3), ("d", 4)]
    deaths = 0
    for commit in range(1, MOST):
        succeeded(desk.undo(job))
        asked = ask_to_redo(desk, job)
        died = killing(asked.job.id, commit, moment) == -signal.SIGKILL
        again = perform_after_death(desk, asked.job.id)
        assert succeeded(again) == "3 row(s) as the import made them; 0 changed since and left"
        assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == done
        assert desk.batch(job).counts.skipped == 0
        deaths += died
        if not died:
            break
    assert 3 <= deaths < MOST - 1
