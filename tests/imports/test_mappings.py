"""Saved mappings for tables: listed for who may import by them, and deleted unless in use."""

import pytest
from flask import Flask

from portal.accounts.permissions import SYSTEM, Actor
from portal.imports.orders import ImportOrder
from portal.imports.scheduled import schedule_import
from portal.imports.words import ImportMode
from portal.rows.processors import Mode
from portal.rows.profiles import list_profiles, save_profile
from portal.settings import Settings
from portal.tables.actions import Action
from tests.imports.browsing import Clerk, clerk_of, grant, words
from tests.imports.scenes import Desk

LIST = "/imports/mappings"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Files below one folder may be imported by their path."""
    return settings.model_copy(update={"imports_folders": (str(settings.data / "inbox"),)})


@pytest.fixture
def clerk(app: Flask, desk: Desk) -> Clerk:
    made = clerk_of(app, desk)
    grant(desk, "trunk", *Action)
    grant(desk, "branch")
    return made


def save(desk: Desk, name: str, *, table: str = "trunk", actor: Actor = SYSTEM) -> None:
    with desk.runtime.sessions.begin() as session:
        save_profile(
            session,
            name=name,
            header=["Code", "Height"],
            processor=f"table:{table}",
            mode=Mode.CREATE,
            columns=["code", "height"],
            actor=actor,
            now=desk.runtime.clock(),
        )


def names(desk: Desk) -> list[str]:
    with desk.runtime.reads() as session:
        return [profile.name for profile in list_profiles(session)]


def delete(clerk: Clerk, name: str) -> str:
    """Press Delete; returns what the list says then."""
    clerk.browser.get(LIST)
    assert clerk.browser.post(f"{LIST}/delete", {"name": name}).status_code == 303
    return words(clerk.browser.get(LIST).text)


def test_an_empty_list_says_how_a_mapping_is_saved(clerk: Clerk) -> None:
    assert "No saved mapping" in clerk.browser.get(LIST).text


def test_a_mapping_is_listed_with_table_and_mode_in_the_words_of_imports(clerk: Clerk) -> None:
    save(clerk.desk, "Monthly")
    text = words(clerk.browser.get(LIST).text)
    assert "Monthly version 1" in text
    assert "trunk insert" in text


def test_mappings_of_other_tables_and_processors_are_not_told(clerk: Clerk) -> None:
    save(clerk.desk, "Secret", table="branch")
    assert "Secret" not in clerk.browser.get(LIST).text
    assert clerk.browser.get(f"{LIST}/versions?name=Secret").status_code == 404
    assert "There is no mapping" in delete(clerk, "Secret")
    assert names(clerk.desk) == ["Secret"]


def test_versions_of_a_mapping_are_shown(clerk: Clerk) -> None:
    save(clerk.desk, "Monthly")
    text = words(clerk.browser.get(f"{LIST}/versions?name=Monthly").text)
    assert "A saved mapping for the table trunk, mode insert" in text
    assert "Version 1" in text
    assert clerk.browser.get(f"{LIST}/versions").status_code == 303


def test_a_mapping_is_deleted(clerk: Clerk) -> None:
    save(clerk.desk, "Monthly")
    assert "The mapping Monthly was deleted." in delete(clerk, "Monthly")
    assert names(clerk.desk) == []


def test_who_may_not_import_by_a_mapping_does_not_delete_it(clerk: Clerk, desk: Desk) -> None:
    save(desk, "Monthly")
    grant(desk, "trunk", Action.UPDATE)
    assert "You may not insert rows of the table 'trunk'" in delete(clerk, "Monthly")
    assert names(desk) == ["Monthly"]


def test_a_mapping_that_a_schedule_works_with_stays(clerk: Clerk) -> None:
    save(clerk.desk, "Monthly")
    path = f"{clerk.desk.runtime.settings.imports_folders[0]}/t.csv"
    order = ImportOrder.at(path, table="trunk", mode=ImportMode.INSERT, profile="Monthly")
    with clerk.desk.runtime.sessions.begin() as session:
        schedule_import(session, order=order, cron="0 6 * * *", wish=clerk.desk.wish())
    assert "Something works with the mapping 'Monthly': the schedule" in delete(clerk, "Monthly")
    assert names(clerk.desk) == ["Monthly"]
