"""Approving large removals on the pages and in the shell: who is shown what, and may do what."""

import pytest
from flask import Flask

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.assembly import KINDS, processors_for
from portal.datacenter.approvals import OWN, WAITS
from portal.jobs.wake import RedisWaker
from portal.rows.batch import Batch
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office
from tests.datacenter.removals import FILE, ask_to_remove, make_users, names, users_left
from tests.datacenter.shell import Shell, answer, refusal, run
from tests.working import working

WOULD_GO = "12 of 14 users would be removed."
BUTTON = "Approve removal"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    office = open_office(runtime, Role.ADMIN)
    make_users(office, 12)
    return office


@pytest.fixture
def second(runtime: Runtime, office: Office) -> Office:
    return open_office(office.runtime, Role.ADMIN, name="carla")


@pytest.fixture
def waiting(office: Office, second: Office) -> Batch:
    return ask_to_remove(office, 12)


def page_of(batch: Batch) -> str:
    return f"/datacenter/runs/{batch.job_id}"


def signed_in(app: Flask, office: Office) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(office.actor.name).status_code == 303
    return browser


def click(browser: Browser, batch: Batch, action: str) -> int:
    browser.get(page_of(batch))
    return browser.post(f"/datacenter/batches/{batch.id}/{action}", {}).status_code


def shell_of(office: Office, actor: Actor) -> Shell:
    runtime = office.runtime
    return Shell(
        runtime=runtime,
        settings=runtime.settings,
        kinds=KINDS,
        processors=processors_for(runtime),
        waker=RedisWaker(runtime.redis),
        actor=actor,
    )


def test_who_asked_reads_that_it_waits_and_may_only_put_it_aside(
    app: Flask, office: Office, waiting: Batch
) -> None:
    text = signed_in(app, office).get(page_of(waiting)).text
    assert f"{WOULD_GO} Waiting for a second person" in text
    assert BUTTON not in text
    assert ">Go on<" not in text
    assert "Put the rest aside" in text


def test_another_with_the_right_approves_after_reading_what_will_go(
    app: Flask, office: Office, second: Office, waiting: Batch
) -> None:
    browser = signed_in(app, second)
    text = browser.get(page_of(waiting)).text
    assert BUTTON in text
    assert f"{WOULD_GO} berta asked for it with the file {FILE}." in text
    answered = browser.post(f"/datacenter/batches/{waiting.id}/approve", {})
    assert answered.status_code == 303
    done = office.finish(answered.location.rpartition("/")[2])
    assert (done.counts.removed, users_left(office)) == (12, 2)
    assert "approved by carla" in browser.get(answered.location).text


@pytest.mark.parametrize("role", [Role.IMPORT_MANAGER, Role.DATA_MANAGER])
def test_without_the_right_there_is_nothing_to_approve(
    app: Flask, office: Office, waiting: Batch, role: Role
) -> None:
    other = signed_in(app, open_office(office.runtime, role, name="dora"))
    text = other.get(page_of(waiting)).text
    assert "Waiting for a second person" in text
    assert BUTTON not in text
    assert click(other, waiting, "approve") == 403
    assert users_left(office) == 15


def test_who_asked_cannot_approve_by_a_request_of_his_own(
    app: Flask, office: Office, waiting: Batch
) -> None:
    assert click(signed_in(app, office), waiting, "approve") == 403


def test_going_on_without_approval_is_refused_in_words(
    app: Flask, office: Office, second: Office, waiting: Batch
) -> None:
    browser = signed_in(app, second)
    browser.get(page_of(waiting))
    answered = browser.post(f"/datacenter/batches/{waiting.id}/go-on", {})
    assert answered.status_code == 409
    assert WAITS in answered.text


def test_the_dashboard_names_it_for_those_who_may_approve(
    app: Flask, office: Office, second: Office, waiting: Batch
) -> None:
    link = f'<a href="{page_of(waiting)}">{FILE}</a></strong><br>'
    assert link in signed_in(app, second).get("/").text
    assert link not in signed_in(app, office).get("/").text


def test_a_notice_leads_to_the_page(
    app: Flask, office: Office, second: Office, waiting: Batch
) -> None:
    text = signed_in(app, second).get("/notifications").text
    assert f"berta asks you to approve a removal ({FILE}): {WOULD_GO}" in text
    assert "asks you to approve" not in signed_in(app, office).get("/notifications").text


def test_the_shell_approves_by_batch_and_by_job(office: Office, waiting: Batch) -> None:
    shell = shell_of(office, SYSTEM)
    with working(shell):
        told = answer(shell, "approve", str(waiting.job_id), "--wait")
    assert (told["removed"], told["waits_for_approval"]) == (12, False)
    assert "nothing left to go on with" in str(refusal(shell, "approve", waiting.id))


def test_the_shell_does_not_go_on_without_approval(office: Office, waiting: Batch) -> None:
    shell = shell_of(office, office.actor)
    assert str(refusal(shell, "go-on", waiting.id)) == WAITS
    assert str(refusal(shell, "retry", waiting.id)) == WAITS


def test_the_shell_says_that_a_removal_waits(office: Office, second: Office) -> None:
    office.put(FILE, names(12))
    shell = shell_of(office, office.actor)
    words = ("process", FILE, "--processor", "users", "--mode", "remove", "--wait")
    with working(shell):
        told = run(shell, *words)
    assert told.exit_code == 0
    assert f"{WOULD_GO} Waiting for a second person" in told.output


def test_the_shell_approves_nothing_that_it_asked_for_itself(
    office: Office, second: Office
) -> None:
    shell = shell_of(office, SYSTEM)
    batch = ask_to_remove(Office(runtime=office.runtime, actor=SYSTEM), 12)
    assert str(refusal(shell, "approve", batch.id)) == OWN
    told = run(shell_of(office, second.actor), "approve", batch.id)
    assert told.exit_code == 0
