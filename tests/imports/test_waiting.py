"""Files that were sent by the pages, and expected ones that were not there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import NotFoundError
from portal.imports.files import sweep_waiting, waiting_folder
from portal.imports.orders import ImportOrder
from portal.imports.waiting import find_waiting, lend, lender_of, path_of, remember
from portal.settings import Settings
from tests.imports.browsing import clerk_of, words
from tests.imports.scenes import Desk

GOOD = "code,height\nA1,3\n"
CLARA = Actor(user_id=7, name="clara", roles=frozenset({Role.IMPORT_MANAGER}))


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tables_url: str, tmp_path: Path) -> Settings:
    folder = str(tmp_path)
    return make_settings(tables_url=tables_url, disk_reserve_mb=0, imports_folders=(folder,))


def test_only_who_sent_a_file_finds_it(desk: Desk) -> None:
    stored, settings = desk.store("t.csv", GOOD), desk.runtime.settings
    remember(settings, stored, actor=CLARA)
    assert find_waiting(settings, file_id=stored.id, actor=CLARA) == stored
    with pytest.raises(NotFoundError):
        find_waiting(settings, file_id=stored.id, actor=SYSTEM)


@pytest.mark.parametrize("file_id", ["", "f" * 32, "../portal.sqlite", "F" * 32, "a" * 31])
def test_other_names_are_none(desk: Desk, file_id: str) -> None:
    with pytest.raises(NotFoundError):
        find_waiting(desk.runtime.settings, file_id=file_id, actor=CLARA)


def test_a_job_takes_a_name_of_its_own_and_the_file_goes_on_waiting(desk: Desk) -> None:
    stored, settings = desk.store("t.csv", GOOD), desk.runtime.settings
    lent = lend(settings, stored, asked={"table": "trunk"})
    assert lent == lend(settings, stored, asked={"table": "trunk"})
    assert lent.id != lend(settings, stored, asked={"table": "branch"}).id
    assert lender_of(lent.id) == stored.id
    desk.perform(desk.ask_for(ImportOrder.of(lent, table="trunk")))
    assert desk.rows("SELECT code FROM trunk") == [("A1",)]
    assert path_of(settings, stored).read_text() == GOOD
    assert not path_of(settings, lent).exists()


def test_what_nobody_asked_for_in_time_goes_with_all_that_is_known_of_it(desk: Desk) -> None:
    stored, settings = desk.store("t.csv", GOOD), desk.runtime.settings
    remember(settings, stored, actor=CLARA)
    for path in waiting_folder(settings).iterdir():
        age(path)
    assert sweep_waiting(desk.runtime) == 2
    with pytest.raises(NotFoundError):
        find_waiting(settings, file_id=stored.id, actor=CLARA)


def test_an_expected_file_that_was_not_there_is_told_until_it_came(
    app: Flask, desk: Desk, tmp_path: Path
) -> None:
    clerk = clerk_of(app, desk, "clara", Role.ADMIN)
    path = tmp_path / "june.csv"
    order = ImportOrder.at(str(path), table="trunk")
    desk.perform(desk.ask_for(order))
    said = f"An expected file was not there: {path}, for the table trunk."
    assert said in words(clerk.browser.get("/imports").text)
    path.write_text(GOOD)
    desk.perform(desk.ask_for(order))
    assert said not in words(clerk.browser.get("/imports").text)


def age(path: Path) -> None:
    """As if it had been sent two days ago."""
    times = path.lstat().st_mtime - 2 * 86_400
    os.utime(path, (times, times))
