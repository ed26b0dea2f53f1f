"""A chosen storage whose disk is away: nothing is put into its empty mount point."""

import shutil
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.datacenter.listing import count_waiting
from portal.datacenter.service import change_storage_path, open_data_center
from portal.errors import ConflictError
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import PASSWORD, Office, open_office


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


@pytest.fixture
def away(office: Office, tmp_path: Path) -> Path:
    """A storage on a disk that was there and is not mounted any more."""
    place = tmp_path / "disk"
    place.mkdir()
    change_storage_path(office.runtime, path=place, move=False)
    office.put("p.csv", "id,title\nred,Red\n")
    shutil.move(place, tmp_path / "unmounted")
    place.mkdir()
    return place


def test_work_is_refused_and_the_mount_point_stays_empty(office: Office, away: Path) -> None:
    with pytest.raises(ConflictError, match="is not there"):
        office.put("q.csv", "id,title\nred,Red\n")
    assert list(away.iterdir()) == []


def test_a_storage_that_is_gone_is_not_made_anew(office: Office, away: Path) -> None:
    away.rmdir()
    with pytest.raises(ConflictError, match="is not there"):
        open_data_center(office.runtime)
    assert not away.exists()


def test_all_is_as_it_was_once_the_disk_is_back(office: Office, away: Path, tmp_path: Path) -> None:
    away.rmdir()
    (tmp_path / "unmounted").rename(away)
    assert office.lying()[""] == ["p.csv"]


def test_another_place_can_be_chosen_without_the_files(
    office: Office, away: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ConflictError, match="is not there"):
        change_storage_path(office.runtime, path=other, move=True)
    assert change_storage_path(office.runtime, path=other, move=False) == []
    assert open_data_center(office.runtime).storage == other
    assert list(away.iterdir()) == []


def test_the_pages_say_so_and_the_settings_stay_open(
    app: Flask, office: Office, away: Path
) -> None:
    browser = Browser(app)
    browser.sign_in("berta", PASSWORD)
    refused = browser.get("/datacenter")
    assert (refused.status_code, "is not there" in refused.text) == (409, True)
    assert str(away) in browser.get("/datacenter/settings").text
    assert browser.get("/").status_code == 200


def test_nothing_waits_where_nothing_can_be_seen(office: Office, away: Path) -> None:
    with office.runtime.reads() as session:
        assert count_waiting(session, settings=office.runtime.settings) == 0
