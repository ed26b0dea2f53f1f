"""After an undo the file of a batch waits again; what was changed since stays, and that is said."""

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.datacenter import orders
from portal.datacenter.earlier import results_of
from portal.datacenter.intents import open_intent
from portal.datacenter.returning import Return, plan_return
from portal.datacenter.service import finish_intended
from portal.rows.batch import Batch
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office

GOOD = "name,display_name,email\nanna,Anna,anna@example.org\nbob,Bob,\n"
HALF = "name,display_name,email\nanna,Anna,anna@example.org\nbob,Bob,none\n"
NOTHING: dict[str, list[str]] = {"finished": [], "unfinished": [], "deleted": [], "graduated": []}


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def done(office: Office, text: str) -> Batch:
    office.put("users.csv", text)
    return office.process("users.csv", "users")


def undo(office: Office, batch: Batch) -> str:
    """Undo a batch; returns what is said of its file."""
    with office.runtime.sessions.begin() as session:
        job = orders.ask_to_undo(session, batch=batch, asking=office.asking()).job
    office.finish(job.id)
    return str(office.job(job.id).result["file"])


def test_the_file_waits_again_and_its_rows_are_gone_from_finished(office: Office) -> None:
    said = undo(office, done(office, GOOD))
    assert office.lying() == {"": ["users.csv"], **NOTHING}
    assert office.text("users.csv") == GOOD
    assert said == "users.csv waits again under Waiting, and its rows are out of Finished."
    assert office.process("users.csv", "users").counts.created == 2


def test_the_pending_rows_go_as_the_whole_file_is_back(office: Office) -> None:
    undo(office, done(office, HALF))
    assert office.lying() == {"": ["users.csv"], **NOTHING}
    assert office.text("users.csv") == HALF


def test_a_file_whose_pending_rows_were_changed_stays(office: Office) -> None:
    batch = done(office, HALF)
    before = office.lying()
    (pending,) = before[""]
    (office.center.storage / pending).write_text("name,email\nbob,bob@example.org\n")
    said = undo(office, batch)
    reason = f"{pending} was changed, moved or processed since."
    assert said == f"users.csv was not put back under Waiting: {reason}"
    assert office.lying() == before


def test_a_file_whose_good_rows_were_changed_stays(office: Office) -> None:
    batch = done(office, GOOD)
    before = office.lying()
    (finished,) = [name for name in before["finished"] if name != "users.csv"]
    (office.center.storage / "finished" / finished).write_text("mine\n")
    assert "was changed, moved or processed since" in undo(office, batch)
    assert office.lying() == before


def test_a_file_stays_where_another_of_its_name_waits(office: Office) -> None:
    batch = done(office, GOOD)
    (office.center.storage / "Users.csv").write_text(GOOD)
    said = undo(office, batch)
    assert said.endswith("another file of that name waits there.")
    assert "users.csv" in office.lying()["finished"]


def test_undoing_a_repair_keeps_the_rows_that_went_well_before(office: Office) -> None:
    done(office, HALF)
    (pending,) = office.lying()[""]
    before = office.lying()
    office.put(pending, "name,display_name,email\nbob,Bob,bob@example.org\n", replace=True)
    repaired = office.text(pending)
    batch = office.process(pending, "users")
    assert office.lying()[""] == []
    undo(office, batch)
    assert office.lying() == before
    assert office.text(pending) == repaired
    (finished,) = before["finished"]
    assert office.text(f"finished/{finished}").splitlines() == HALF.splitlines()[:2]


def test_a_file_is_processed_and_undone_again(office: Office) -> None:
    batch = done(office, GOOD)
    undo(office, batch)
    again = office.process("users.csv", "users")
    assert undo(office, again).startswith("users.csv waits again")
    assert office.lying() == {"": ["users.csv"], **NOTHING}


def test_the_page_says_what_became_of_the_file(app: Flask, office: Office) -> None:
    batch = done(office, GOOD)
    said = undo(office, batch)
    browser = Browser(app)
    browser.sign_in(office.actor.name)
    assert said in browser.get(f"/datacenter/runs/{office.batch(batch.id).job_id}").text


def test_a_return_that_was_cut_short_is_finished_by_the_reconciler(office: Office) -> None:
    batch = done(office, GOOD)
    with office.runtime.reads() as session:
        results = results_of(session, batch)
    wanted = Return(batch=batch, name="users.csv", done=results, actor=office.actor)
    intent = plan_return(office.center, wanted)
    with office.runtime.sessions.begin() as session:
        open_intent(session, intent=intent, now=office.runtime.clock())
    assert finish_intended(office.runtime, quiet_seconds=-1) == 1
    assert office.lying() == {"": ["users.csv"], **NOTHING}
    assert undo(office, batch).startswith("users.csv waits again")
