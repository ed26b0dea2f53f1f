"""A plan is applied as it was planned, or not at all and what drifted is told."""

from typing import Any

import pytest

from portal.errors import ConflictError
from portal.imports import orders
from portal.imports.plans import DRIFTED, Drift, drift_text, drifts
from portal.imports.words import ImportMode
from portal.jobs.models import Job
from portal.rows.batch import Entry, Outcome
from tests.imports.scenes import Desk, failed, succeeded

UPSERT = "code,height\na,10\nb,2\nc,3\n"


def make_entry(first: int, last: int, outcome: Outcome, **more: Any) -> Entry:
    values: dict[str, Any] = {
        "line": None,
        "attempt": 1,
        "cells": None,
        "edited": {},
        "errors": {},
        "record_key": "",
        "before": None,
        "after": None,
        "after_hash": None,
        "skip_reason": "",
    }
    return Entry(first_row=first, last_row=last, outcome=outcome, **(values | more))


def apply(desk: Desk, plan: Job) -> Job:
    with desk.runtime.sessions.begin() as session:
        asked = orders.ask_to_apply(session, plan=desk.batch(plan), wish=desk.wish())
    return desk.perform(asked)


@pytest.fixture
def plan(desk: Desk) -> Job:
    desk.run("trunk.csv", "code,height\na,1\nb,2\n", table="trunk")
    return desk.run("more.csv", UPSERT, table="trunk", mode=ImportMode.UPSERT, dry_run=True)


def test_a_plan_counts_what_would_become_of_the_rows(plan: Job) -> None:
    said = "1 to insert, 1 to update, 1 unchanged, 0 to delete, 0 refused"
    assert succeeded(plan) == said


def test_a_plan_that_holds_is_applied(desk: Desk, plan: Job) -> None:
    job = apply(desk, plan)
    assert succeeded(job) == "Successfully imported 3 row(s)"
    assert "warning" not in job.result
    found = desk.rows("SELECT code, height FROM trunk ORDER BY code")
    assert found == [("a", 10), ("b", 2), ("c", 3)]


def test_what_drifted_is_told_and_nothing_is_imported(desk: Desk, plan: Job) -> None:
    desk.execute("UPDATE trunk SET height = 5 WHERE code = 'a'", "DELETE FROM trunk WHERE code='b'")
    job = apply(desk, plan)
    assert failed(job).split("\n") == [
        DRIFTED,
        "    1: the row of the table was changed since",
        "    2: planned to leave unchanged, now to insert",
    ]
    assert desk.rows("SELECT code, height FROM trunk") == [("a", 5)]


def test_what_drifted_is_looked_at_anew_when_the_job_is_retried(desk: Desk, plan: Job) -> None:
    desk.execute("UPDATE trunk SET height = 5 WHERE code = 'a'")
    job = apply(desk, plan)
    desk.execute("UPDATE trunk SET height = 1 WHERE code = 'a'")
    assert succeeded(desk.retry(job)) == "Successfully imported 3 row(s)"


def test_an_applied_plan_can_be_undone(desk: Desk, plan: Job) -> None:
    succeeded(desk.undo(apply(desk, plan)))
    found = desk.rows("SELECT code, height FROM trunk ORDER BY code")
    assert found == [("a", 1), ("b", 2)]


def test_only_a_dry_run_is_a_plan(desk: Desk) -> None:
    job = desk.run("trunk.csv", "code,height\na,1\n", table="trunk")
    with pytest.raises(ConflictError, match="dry run"):
        apply(desk, job)


def test_ranges_that_are_cut_elsewhere_tell_the_same() -> None:
    planned = [make_entry(1, 10, Outcome.CREATED)]
    found = [make_entry(1, 4, Outcome.CREATED), make_entry(5, 10, Outcome.CREATED)]
    assert list(drifts(planned, found)) == []


def test_a_part_of_a_range_drifts_alone() -> None:
    planned = [make_entry(1, 10, Outcome.CREATED)]
    found = [
        make_entry(1, 3, Outcome.CREATED),
        make_entry(4, 5, Outcome.UNCHANGED),
        make_entry(6, 10, Outcome.CREATED),
    ]
    [drift] = drifts(planned, found)
    assert drift == Drift(first_row=4, last_row=5, planned=Outcome.CREATED, found=Outcome.UNCHANGED)
    assert str(drift) == "4-5: planned to insert, now to leave unchanged"


def test_rows_that_one_ledger_lacks_drift() -> None:
    planned = [make_entry(1, 2, Outcome.CREATED)]
    assert [str(one) for one in drifts(planned, [])] == [
        "1-2: planned to insert, now to say nothing of"
    ]


def test_a_record_that_is_as_it_was_does_not_drift() -> None:
    one = make_entry(1, 1, Outcome.UPDATED, record_key="7", before={"a": 1}, after={"a": 2})
    other = make_entry(1, 1, Outcome.UPDATED, record_key="7", before={"a": 0}, after={"a": 2})
    assert list(drifts([one], [one])) == []
    assert len(list(drifts([one], [other]))) == 1


def test_the_text_is_capped_and_tells_how_many_more_there_are() -> None:
    planned = [make_entry(row, row, Outcome.UPDATED, before={}) for row in range(1, 6)]
    found = [make_entry(1, 5, Outcome.CREATED)]
    lines = drift_text(drifts(planned, found), most=2).split("\n")
    assert lines[0] == DRIFTED
    assert lines[-1] == "    … and 3 more rows"
    assert len(lines) == 4
