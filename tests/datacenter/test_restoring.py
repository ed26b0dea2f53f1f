"""Removed records come back with one click beside their backup."""

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.rows.processors import Mode
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office

PROJECTS = "id,title\nred,The red one\nblue,Blue\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


@pytest.fixture
def boss(app: Flask, office: Office) -> Browser:
    return signed_in(app, office)


def signed_in(app: Flask, office: Office) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(office.actor.name).status_code == 303
    return browser


def removed(office: Office) -> str:
    """The address that restores the backup of a project that was removed."""
    office.put("projects.csv", PROJECTS)
    office.process("projects.csv", "projects")
    office.put("gone.csv", "id\nred\n")
    office.process("gone.csv", "projects", Mode.REMOVE)
    (backup,) = office.lying()["deleted"]
    return f"/datacenter/restore/deleted/{backup}"


def test_one_click_makes_removed_records_again(boss: Browser, office: Office) -> None:
    address = removed(office)
    assert f'action="{address}"' in boss.get("/datacenter/folders/deleted").text
    answer = boss.post(address)
    batch = office.finish(answer.location.rpartition("/")[2])
    assert (batch.counts.created, batch.counts.failed) == (1, 0)
    assert "The red one" in boss.get("/projects/red").text


def test_a_backup_of_unknown_origin_asks_what_it_is(boss: Browser, office: Office) -> None:
    (office.center.deleted_path / "old.csv").write_text(PROJECTS)
    boss.get("/datacenter")
    answer = boss.post("/datacenter/restore/deleted/old.csv")
    assert answer.location.endswith("/datacenter/files/deleted/old.csv")
    assert "Nobody knows who removed" in boss.get("/datacenter/files/deleted/old.csv").text


def test_a_backup_that_is_not_there_is_not_found(boss: Browser) -> None:
    boss.get("/datacenter")
    assert boss.post("/datacenter/restore/deleted/none.csv").status_code == 404


def test_who_may_not_process_does_not_restore(app: Flask, runtime: Runtime, office: Office) -> None:
    address = removed(office)
    browser = signed_in(app, open_office(runtime, Role.DATA_MANAGER, name="other"))
    browser.get("/accounts/password")
    assert browser.post(address).status_code == 403
