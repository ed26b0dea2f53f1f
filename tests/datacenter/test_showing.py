"""What batches met in records is shown to those who may use the processor, and to no others."""

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.datacenter import orders
from portal.datacenter.steps import Folder
from portal.errors import ForbiddenError
from portal.rows.processors import Mode
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office

USERS = "name,display_name\nanna,Anna Known\nbob,Bob\n"
CHANGES = "name,display_name\nanna,Anna Other\n"
SECRET = "Anna Known"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    office = open_office(runtime, Role.ADMIN)
    office.put("users.csv", USERS)
    office.process("users.csv", "users")
    return office


@pytest.fixture
def clerk(runtime: Runtime) -> Office:
    """Somebody who handles files, but no users."""
    return open_office(runtime, Role.IMPORT_MANAGER, name="clerk")


def signed_in(app: Flask, office: Office) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(office.actor.name).status_code == 303
    return browser


def planned(office: Office) -> str:
    """The page of a dry run that would change a user."""
    office.put("more.csv", CHANGES)
    job_id = office.ask(office.order("more.csv", "users", Mode.UPDATE, dry_run=True))
    office.finish(job_id)
    return f"/datacenter/runs/{job_id}"


def backed_up(office: Office) -> str:
    """The name of the backup of a user who was removed."""
    office.put("gone.csv", "name\nanna\n")
    office.process("gone.csv", "users", Mode.REMOVE)
    (backup,) = office.lying()["deleted"]
    return backup


def test_changes_are_not_shown_without_the_processors_right(
    app: Flask, office: Office, clerk: Office
) -> None:
    address = planned(office)
    assert SECRET in signed_in(app, office).get(address).text
    shown = signed_in(app, clerk).get(address).text
    assert "What stands in these records is shown to those who may process them." in shown
    assert "Would be updated" in shown
    assert SECRET not in shown


def test_changes_of_records_that_decide_by_row_are_for_who_asked(
    app: Flask, runtime: Runtime, office: Office, clerk: Office
) -> None:
    office.put("projects.csv", "id,title\nred,Known title\n")
    office.process("projects.csv", "projects")
    office.put("titles.csv", "id,title\nred,Other\n")
    job_id = office.ask(office.order("titles.csv", "projects", Mode.UPDATE, dry_run=True))
    office.finish(job_id)
    address = f"/datacenter/runs/{job_id}"
    assert "Known title" in signed_in(app, office).get(address).text
    assert "Known title" not in signed_in(app, clerk).get(address).text


def test_logs_are_not_searched_without_the_processors_right(
    app: Flask, office: Office, clerk: Office
) -> None:
    search = "/datacenter/logs?search=anna"
    assert "users.log" in signed_in(app, office).get(search).text
    for address in (search, f"{search}&log=users.log"):
        shown = signed_in(app, clerk).get(address).text
        assert "users.log" not in shown
        assert SECRET not in shown


@pytest.mark.parametrize("address", ["/datacenter/download/deleted/", "/datacenter/files/deleted/"])
def test_a_backup_is_not_opened_without_the_processors_right(
    app: Flask, office: Office, clerk: Office, address: str
) -> None:
    backup = backed_up(office)
    assert signed_in(app, office).get(address + backup).status_code == 200
    assert signed_in(app, clerk).get(address + backup).status_code == 403


def test_a_backup_is_not_processed_as_something_else(
    runtime: Runtime, office: Office, clerk: Office
) -> None:
    order = office.order(backed_up(office), "projects", folder=Folder.DELETED, dry_run=True)
    with pytest.raises(ForbiddenError), runtime.sessions.begin() as session:
        orders.ask_to_process(session, order=order, center=clerk.center, asking=clerk.asking())


def test_a_backup_of_which_nobody_knows_the_origin_is_for_administrators(
    app: Flask, office: Office, clerk: Office
) -> None:
    (office.center.deleted_path / "old.csv").write_text(USERS)
    address = "/datacenter/download/deleted/old.csv"
    assert signed_in(app, office).get(address).status_code == 200
    assert signed_in(app, clerk).get(address).status_code == 403


def test_what_an_undo_kept_is_not_listed_without_the_processors_right(
    app: Flask, office: Office, clerk: Office
) -> None:
    office.put("more.csv", CHANGES)
    address = f"/rows/{office.process('more.csv', 'users', Mode.UPDATE).id}/kept"
    assert signed_in(app, office).get(address).status_code == 200
    assert signed_in(app, clerk).get(address).status_code == 403
