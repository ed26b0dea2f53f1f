"""Files on the server: the listing of allowed folders, taking a file, and expecting one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM
from portal.jobs.models import Job, Schedule
from portal.rows.processors import Mode
from portal.rows.profiles import save_profile
from portal.settings import Settings
from portal.tables.actions import Action
from tests.imports.browsing import Clerk, clerk_of, grant, rows_of, words
from tests.imports.scenes import Desk

GOOD = "code,height\nA1,3\nB2,4\n"
FOLDERS = "/imports/folders"
SCHEDULES = "/imports/schedules"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What other programs put files into."""
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tables_url: str, folder: Path) -> Settings:
    return make_settings(
        tables_url=tables_url,
        disk_reserve_mb=0,
        upload_limit_mb=1,
        imports_folders=(str(folder),),
    )


@pytest.fixture
def clerk(app: Flask, desk: Desk) -> Clerk:
    made = clerk_of(app, desk)
    grant(desk, "trunk", *Action)
    grant(desk, "branch")
    return made


def listed(clerk: Clerk, path: Path | str = "") -> list[str]:
    """The names that the page of a folder shows."""
    text = clerk.browser.get(f"{FOLDERS}?path={path}" if path else FOLDERS).text
    return [row[0] for row in rows_of(text)]


def take(clerk: Clerk, path: Path | str) -> str:
    clerk.browser.get(FOLDERS)
    answer = clerk.browser.post(FOLDERS, {"path": str(path)})
    assert answer.status_code == 303
    return str(answer.location)


def test_an_empty_folder_says_what_would_be_shown(clerk: Clerk) -> None:
    assert "No file to import" in clerk.browser.get(FOLDERS).text


def test_folders_come_first_and_then_files_the_newest_first(clerk: Clerk, folder: Path) -> None:
    (folder / "archive").mkdir()
    for age, name in enumerate(("new.csv", "old.csv")):
        (folder / name).write_text(GOOD)
        os.utime(folder / name, (1_000_000 - age, 1_000_000 - age))
    assert listed(clerk) == ["archive", "new.csv", "old.csv"]


def test_what_cannot_be_imported_is_not_shown(clerk: Clerk, folder: Path, tmp_path: Path) -> None:
    for name in (".hidden.csv", "notes.txt", "part.csv.part"):
        (folder / name).write_text(GOOD)
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "away").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    assert listed(clerk) == []


def test_a_folder_below_is_gone_into_and_back(clerk: Clerk, folder: Path) -> None:
    (folder / "in" / "side").mkdir(parents=True)
    (folder / "in" / "t.csv").write_text(GOOD)
    text = clerk.browser.get(f"{FOLDERS}?path={folder}/in").text
    assert [row[0] for row in rows_of(text)] == ["side", "t.csv"]
    assert f"{folder} in" in words(text)


@pytest.mark.parametrize("path", ["/etc", "{folder}/..", "{folder}/../..", "relative"])
def test_other_folders_are_refused(clerk: Clerk, folder: Path, path: str) -> None:
    answer = clerk.browser.get(f"{FOLDERS}?path={path.format(folder=folder)}")
    assert answer.status_code == 403
    assert "PORTAL_IMPORTS_FOLDERS" in answer.text


def test_a_folder_that_is_a_link_is_not_gone_into(
    clerk: Clerk, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "away").mkdir()
    (folder / "linked").symlink_to(tmp_path / "away")
    assert clerk.browser.get(f"{FOLDERS}?path={folder}/linked").status_code in (403, 404)


def test_an_allowed_folder_that_is_gone_says_whom_to_tell(clerk: Clerk, folder: Path) -> None:
    folder.rmdir()
    answer = clerk.browser.get(FOLDERS)
    assert answer.status_code == 200
    assert "Tell an administrator" in answer.text


def test_a_file_that_is_taken_is_shown_and_imported_like_one_that_was_sent(
    clerk: Clerk, folder: Path
) -> None:
    (folder / "t.csv").write_text(GOOD)
    page = take(clerk, folder / "t.csv")
    assert page.startswith("/imports/new/")
    assert "t.csv" in clerk.browser.get(page).text
    location = clerk.ask_again(page)
    clerk.do(location)
    assert "Successfully imported 2 row(s)" in clerk.browser.get(location).text
    assert (folder / "t.csv").read_text() == GOOD


def test_a_file_that_cannot_be_taken_says_why_and_leads_back(clerk: Clerk, folder: Path) -> None:
    (folder / "big.csv").write_bytes(b"x" * 1_000_001)
    for name, said in [
        ("gone.csv", "The expected file is not there"),
        ("notes.txt", "Unsupported file format: TXT"),
        ("big.csv", "PORTAL_UPLOAD_LIMIT_MB"),
    ]:
        back = take(clerk, folder / name)
        assert back.startswith(f"{FOLDERS}?path=")
        assert said in clerk.browser.get(back).text


def test_a_file_elsewhere_is_not_taken(clerk: Clerk) -> None:
    clerk.browser.get(FOLDERS)
    assert clerk.browser.post(FOLDERS, {"path": "/etc/hosts.csv"}).status_code == 403


def expect(clerk: Clerk, path: Path | str, **form: str) -> tuple[int, str]:
    """Send the form of a new schedule; returns the status, and where it leads or what it says."""
    clerk.browser.get(f"{SCHEDULES}/new")
    said = {"path": str(path), "table": "trunk", "mode": "insert", "cron": "0 6 * * 1-5"}
    answer = clerk.browser.post(SCHEDULES, said | {"action": "schedule"} | form)
    return answer.status_code, str(answer.location) if answer.location else words(answer.text)


def save_mapping(desk: Desk, mode: Mode = Mode.CREATE) -> None:
    with desk.runtime.sessions.begin() as session:
        save_profile(
            session,
            name="Monthly",
            header=["Key", "Tall"],
            processor="table:trunk",
            mode=mode,
            columns=["code", "height"],
            actor=SYSTEM,
            now=desk.runtime.clock(),
        )


def test_without_schedules_the_list_says_what_they_are_for(clerk: Clerk) -> None:
    assert "No file is expected" in clerk.browser.get(SCHEDULES).text


def test_the_form_is_filled_in_from_the_listing(clerk: Clerk, folder: Path) -> None:
    (folder / "t.csv").write_text(GOOD)
    assert f"{SCHEDULES}/new?path=" in clerk.browser.get(FOLDERS).text
    text = clerk.browser.get(f"{SCHEDULES}/new?path={folder}/t.csv").text
    assert f'value="{folder}/t.csv"' in text


def test_a_file_is_put_on_a_schedule_and_shown_in_words(clerk: Clerk, folder: Path) -> None:
    save_mapping(clerk.desk)
    pattern = folder / "t-*.csv"
    assert expect(clerk, pattern, profile="Monthly", partial="yes") == (303, SCHEDULES)
    text = words(clerk.browser.get(SCHEDULES).text)
    assert "At 06:00" in text
    assert f"{pattern} into trunk (insert)" in text
    with clerk.desk.runtime.reads() as session:
        args = session.scalars(select(Schedule.args)).one()
    assert (args["path"], args["profile"], args["partial"]) == (str(pattern), "Monthly", True)


def test_a_missing_file_shows_at_the_schedule_and_on_the_list(clerk: Clerk, folder: Path) -> None:
    expect(clerk, folder / "t-*.csv")
    clerk.browser.get(SCHEDULES)
    ran = clerk.browser.post(f"{SCHEDULES}/1/run")
    clerk.do(str(ran.location))
    assert "by hand Failed" in words(clerk.browser.get(SCHEDULES).text)
    assert "An expected file was not there" in clerk.browser.get("/imports").text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"path": ""}, "Say which file."),
        ({"path": "/etc/t.csv"}, "PORTAL_IMPORTS_FOLDERS"),
        ({"cron": "often"}, "That is no cron expression"),
        ({"cron": ""}, "Say when"),
        ({"table": "branch"}, "Not a valid choice"),
        ({"mode": "update", "profile": "Monthly"}, "is for another table or mode"),
    ],
)
def test_what_makes_no_schedule_is_told_and_kept_in_the_form(
    clerk: Clerk, folder: Path, form: dict[str, str], said: str
) -> None:
    save_mapping(clerk.desk)
    given = {"path": f"{folder}/t.csv"} | form
    status, text = expect(clerk, **given)
    assert (status, said in text) == (422, True)
    with clerk.desk.runtime.reads() as session:
        assert session.scalars(select(Schedule)).all() == []


def test_a_mode_that_is_not_granted_is_refused_in_words(
    clerk: Clerk, desk: Desk, folder: Path
) -> None:
    grant(desk, "trunk", Action.UPDATE)
    status, text = expect(clerk, folder / "t.csv")
    assert (status, "You may not insert rows of the table 'trunk'" in text) == (422, True)


def test_a_file_is_imported_once_with_a_saved_mapping(clerk: Clerk, folder: Path) -> None:
    save_mapping(clerk.desk)
    (folder / "t.csv").write_text("Key,Tall\nA1,3\n")
    status, location = expect(clerk, folder / "t.csv", cron="", action="once", profile="Monthly")
    assert status == 303
    clerk.do(location)
    assert clerk.desk.rows("SELECT code, height FROM trunk") == [("A1", 3)]
    with clerk.desk.runtime.reads() as session:
        assert session.scalars(select(Schedule)).all() == []


def test_a_wrong_form_for_one_import_still_asks_for_the_time(clerk: Clerk) -> None:
    status, text = expect(clerk, "", action="once")
    assert (status, "Say which file." in text, "Minute, hour" in text) == (422, True, True)


def test_a_schedule_rests_goes_on_and_is_deleted(clerk: Clerk, folder: Path) -> None:
    expect(clerk, folder / "t.csv")
    for action, said in [
        ("pause", "Paused by clara."),
        ("resume", "At 06:00"),
        ("remove", "No file is expected"),
    ]:
        clerk.browser.get(SCHEDULES)
        assert clerk.browser.post(f"{SCHEDULES}/1/{action}").location == SCHEDULES
        assert said in clerk.browser.get(SCHEDULES).text


def test_schedules_of_others_are_neither_shown_nor_changed(
    app: Flask, clerk: Clerk, desk: Desk, folder: Path
) -> None:
    expect(clerk, folder / "t.csv")
    other = clerk_of(app, desk, "berta")
    assert "No file is expected" in other.browser.get(SCHEDULES).text
    assert other.browser.post(f"{SCHEDULES}/1/remove").status_code == 404
    with desk.runtime.reads() as session:
        assert session.scalars(select(Job)).all() == []
