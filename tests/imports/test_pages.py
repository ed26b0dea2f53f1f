"""The pages of imports: sending a file, its preview, what came of it, and who may see that."""

import re

import pytest
from flask import Flask

from portal.accounts import service as accounts
from portal.accounts.permissions import SYSTEM, Role
from portal.rows.profiles import get_profile
from portal.tables.actions import Action
from tests.imports.browsing import HTMX, Clerk, clerk_of, grant, rows_of, words
from tests.imports.scenes import Desk

GOOD = "code,height\nA1,3\nB2,4\n"
BAD = "code,height\nA1,3\nB2,tall\nC3,5\n"


@pytest.fixture
def clerk(app: Flask, desk: Desk) -> Clerk:
    """Who may do everything with the tables."""
    made = clerk_of(app, desk)
    grant(desk, "trunk", *Action)
    grant(desk, "branch", *Action)
    return made


def test_an_empty_list_says_what_to_do(clerk: Clerk) -> None:
    text = clerk.browser.get("/imports").text
    assert "Nothing was imported yet" in text
    assert "Drop a file here or choose one" in text


def test_a_file_that_was_sent_is_shown_with_table_and_mode_chosen(clerk: Clerk) -> None:
    page = clerk.send("t.csv", GOOD, table="trunk", mode="upsert")
    text = clerk.browser.get(page).text
    assert '<option value="table:trunk" selected>' in text
    assert '<option value="upsert" selected>upsert</option>' in text
    assert "The columns are enough." in text
    assert clerk.desk.rows("SELECT * FROM trunk") == []


def test_the_mode_that_was_chosen_stays_until_the_table_is_chosen(clerk: Clerk) -> None:
    page = clerk.send("t.csv", GOOD, table="", mode="upsert")
    assert '<input type="hidden" name="mode" value="upsert">' in clerk.browser.get(page).text
    asked = {"processor": "table:trunk", "mode": "upsert"}
    text = clerk.browser.post(page.partition("?")[0].replace("/new/", "/look/"), asked).text
    assert '<option value="upsert" selected>upsert</option>' in text


def test_a_look_with_other_choices_is_a_fragment_and_keeps_nothing(clerk: Clerk) -> None:
    page = clerk.send("t.csv", GOOD).partition("?")[0]
    clerk.browser.get(page)
    asked = {"processor": "table:trunk", "mapped_for": "table:trunk", "mode": "create"}
    part = clerk.browser.post(
        page.replace("/new/", "/look/"), asked | {"column-0": ""}, headers=HTMX
    )
    assert (part.status_code, "<html" in part.text) == (200, False)
    assert "Need at least columns" in part.text


def test_columns_that_are_not_enough_are_refused_with_the_reason(clerk: Clerk) -> None:
    page = clerk.send("t.csv", GOOD).partition("?")[0]
    clerk.browser.get(page)
    asked = {"processor": "table:trunk", "mapped_for": "table:trunk", "mode": "create"}
    answer = clerk.browser.post(page, asked | {"column-0": "", "action": "import"})
    assert answer.status_code == 422
    assert "Need at least columns" in answer.text


@pytest.mark.parametrize("name", ["notes.txt", "notes", "scan.pdf"])
def test_a_file_of_another_format_is_refused_in_the_known_words(clerk: Clerk, name: str) -> None:
    assert clerk.send(name, "x") == "/imports"
    ending = name.partition(".")[2].upper()
    assert f"Unsupported file format: {ending}" in clerk.browser.get("/imports").text


def test_sending_nothing_says_so(clerk: Clerk) -> None:
    clerk.browser.get("/imports")
    assert clerk.browser.post("/imports").status_code == 303
    assert "Choose a file first." in clerk.browser.get("/imports").text


def test_an_import_shows_its_result_word_for_word(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    text = clerk.browser.get(location).text
    assert "Successfully imported 2 row(s)" in text
    assert clerk.desk.rows("SELECT code FROM trunk ORDER BY code") == [("A1",), ("B2",)]


def test_a_bad_row_refuses_all_of_them_and_is_shown_with_its_value(clerk: Clerk) -> None:
    location = clerk.run("t.csv", BAD)
    text = clerk.browser.get(location).text
    assert "Nothing was imported" in text
    assert "Errors occurred while importing the records" in text
    assert "Repair 1 failing row" in words(text)
    [row] = [row for row in rows_of(text) if row[0] == "2"]
    assert row[2:4] == ["height", "tall"]
    assert clerk.desk.rows("SELECT * FROM trunk") == []


def test_good_rows_alone_are_imported_where_that_is_asked_for(clerk: Clerk) -> None:
    location = clerk.run("t.csv", BAD, partial="yes")
    assert clerk.desk.rows("SELECT code FROM trunk ORDER BY code") == [("A1",), ("C3",)]
    batch = str(clerk.desk.job(location.rpartition("/")[2]).result["batch"])
    failing = clerk.browser.get(f"/rows/{batch}/failing")
    assert failing.text.splitlines()[1].startswith("B2,tall,")
    assert clerk.browser.get(f"/rows/{batch}").status_code == 200


def test_a_plan_shows_cells_and_is_applied(clerk: Clerk) -> None:
    clerk.run("t.csv", GOOD)
    plan = clerk.run("u.csv", "code,height\nA1,9\nC3,1\n", mode="upsert", action="plan")
    text = clerk.browser.get(plan).text
    assert "a dry run, nothing was written" in text
    assert ["1", "1", "height", "3", "9"] in rows_of(text)
    assert clerk.desk.rows("SELECT height FROM trunk WHERE code = 'A1'") == [(3,)]
    applied = clerk.press(plan, "apply")
    assert clerk.desk.rows("SELECT height FROM trunk WHERE code = 'A1'") == [(9,)]
    assert "Successfully imported 2 row(s)" in clerk.browser.get(applied).text


def test_a_plan_that_no_longer_holds_says_what_drifted(clerk: Clerk) -> None:
    plan = clerk.run("t.csv", GOOD, action="plan")
    clerk.desk.execute("INSERT INTO trunk (code, height) VALUES ('A1', 1)")
    text = clerk.browser.get(clerk.press(plan, "apply")).text
    assert "somebody changed the table since the plan was made" in text
    assert "1: planned to insert, now to refuse" in text


def test_after_a_dry_run_the_mapping_can_be_changed(clerk: Clerk) -> None:
    plan = clerk.run("t.csv", GOOD, action="plan", **{"rule-case-0": "lower"})
    [again] = re.findall(
        r'href="(/imports/new/[^"]+)" id="import-again"', clerk.browser.get(plan).text
    )
    text = clerk.browser.get(again.replace("&amp;", "&")).text
    assert "The columns are enough." in text


def test_undoing_says_what_will_be_lost_and_takes_it_back(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    text = clerk.browser.get(location).text
    assert "2 rows that were inserted will be deleted" in text
    assert "It can be undone until" in text
    undone = clerk.press(location, "undo")
    assert clerk.desk.rows("SELECT * FROM trunk") == []
    assert "This import was undone" in clerk.browser.get(location).text
    assert "Undone" in clerk.browser.get("/imports").text
    assert location in clerk.browser.get(undone).text


def test_who_may_not_delete_rows_is_told_why_he_cannot_undo_an_insert(
    clerk: Clerk, desk: Desk
) -> None:
    grant(desk, "trunk", Action.BROWSE, Action.CREATE, Action.UPDATE)
    location = clerk.run("t.csv", GOOD)
    text = clerk.browser.get(location).text
    assert f'action="{location}/undo"' not in text
    assert "To undo this import is to delete rows of the table" in words(text)
    assert clerk.browser.post(f"{location}/undo").status_code == 403


def test_what_an_undo_had_to_keep_can_be_fetched(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    clerk.desk.execute("UPDATE trunk SET height = 99 WHERE code = 'B2'")
    clerk.press(location, "undo")
    text = clerk.browser.get(location).text
    assert "1 was changed since and kept" in text
    [kept] = re.findall(r'href="(/rows/[^"]+/kept)"', text)
    assert "It was changed after the batch." in clerk.browser.get(kept).text


def test_the_same_file_is_noticed_before_and_after(clerk: Clerk) -> None:
    clerk.run("t.csv", GOOD)
    page = clerk.send("t.csv", GOOD, table="trunk", mode="insert")
    assert "The same file was imported into this table on" in clerk.browser.get(page).text


def test_asking_twice_for_the_same_joins(clerk: Clerk) -> None:
    page = clerk.send("t.csv", GOOD)
    first = clerk.ask_again(page)
    assert clerk.ask_again(page) == first
    assert "The very same was asked for already" in clerk.browser.get(first).text


def test_a_mapping_is_saved_with_its_rules(clerk: Clerk) -> None:
    form = {"mapped_for": "table:trunk", "column-0": "code", "column-1": "height"}
    clerk.run("t.csv", "Kode,Size\na1,3\n", **form, **{"rule-case-0": "upper"}, save_as="Mine")
    assert clerk.desk.rows("SELECT code FROM trunk") == [("A1",)]
    with clerk.desk.runtime.reads() as session:
        assert get_profile(session, name="Mine").columns == ("code", "height")
    page = clerk.send("t2.csv", "Kode,Size\nb2,3\n", table="trunk", mode="insert")
    assert "as they were saved for files like this (Mine" in clerk.browser.get(page).text


def test_the_list_is_narrowed_by_table_state_and_text(clerk: Clerk) -> None:
    clerk.run("good.csv", GOOD)
    clerk.run("bad.csv", BAD)
    clerk.run("twigs.csv", "name\nx\n", table="branch")

    def names(query: str) -> list[str]:
        return [row[0].split()[0] for row in rows_of(clerk.browser.get(f"/imports?{query}").text)]

    assert names("") == ["twigs.csv", "bad.csv", "good.csv"]
    assert names("table=trunk") == ["bad.csv", "good.csv"]
    assert names("state=failed") == ["bad.csv"]
    assert names("text=TWIG") == ["twigs.csv"]
    assert "No import matches" in clerk.browser.get("/imports?text=nothing").text
    part = clerk.browser.get("/imports?table=branch", headers=HTMX)
    assert "<html" not in part.text


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "state=none"])
def test_addresses_without_sense_are_no_server_errors(clerk: Clerk, query: str) -> None:
    assert clerk.browser.get(f"/imports?{query}").status_code == 200


def test_the_page_of_a_table_shows_its_imports_and_its_templates(clerk: Clerk) -> None:
    clerk.run("good.csv", GOOD)
    clerk.run("twigs.csv", "name\nx\n", table="branch")
    text = clerk.browser.get("/imports/tables/trunk").text
    assert "good.csv" in text
    assert "twigs.csv" not in text
    template = clerk.browser.get("/imports/templates/trunk.csv")
    assert "code" in template.text
    assert "trunk-template.csv" in template.headers["Content-Disposition"]
    assert (
        clerk.browser.client.get("/imports/templates/trunk.xlsx?described=yes").status_code == 200
    )


def test_what_one_may_not_see_is_not_there(app: Flask, clerk: Clerk) -> None:
    location = clerk.run("good.csv", GOOD)
    page = clerk.send("t.csv", GOOD)
    other = clerk_of(app, clerk.desk, "olga")
    assert other.browser.get(location).status_code == 200
    assert other.browser.get(page).status_code == 404
    grant(Desk(runtime=clerk.desk.runtime), "trunk")
    for url in (location, "/imports/tables/trunk", "/imports/templates/trunk.csv"):
        assert other.browser.get(url).status_code == 404
    assert "good.csv" not in other.browser.get("/imports").text


def test_who_may_see_but_not_do_is_told_so(app: Flask, clerk: Clerk) -> None:
    location = clerk.run("good.csv", GOOD)
    other = clerk_of(app, clerk.desk, "olga")
    grant(Desk(runtime=clerk.desk.runtime), "trunk", Action.BROWSE)
    text = other.browser.get(location).text
    assert "Undo" not in words(text)
    assert other.browser.post(f"{location}/undo").status_code == 403


@pytest.mark.parametrize("name", ["x.exe", "trunk", "nothing.csv", "trunk.pdf"])
def test_templates_that_are_none_are_not_there(clerk: Clerk, name: str) -> None:
    assert clerk.browser.get(f"/imports/templates/{name}").status_code == 404


@pytest.mark.parametrize("action", ["apply", "undo", "go-on"])
def test_an_import_without_rows_cannot_be_changed(clerk: Clerk, action: str) -> None:
    location = clerk.ask("t.csv", GOOD)
    clerk.browser.get(location)
    assert clerk.browser.post(f"{location}/{action}").status_code == 404


def test_names_that_try_to_pass_for_something_else_are_written_out(clerk: Clerk) -> None:
    location = clerk.run("a\u202eb.csv", BAD)
    for url in (location, "/imports"):
        assert "\u202e" not in clerk.browser.get(url).text


def test_an_import_that_waits_asks_for_itself_and_an_unchanged_answer_is_304(clerk: Clerk) -> None:
    location = clerk.ask("t.csv", GOOD)
    part = clerk.browser.get(location, headers=HTMX)
    assert 'hx-trigger="every 2s' in part.text
    assert "The rows appear here once the file was taken in." in part.text
    again = clerk.browser.get(location, headers=HTMX | {"If-None-Match": part.headers["ETag"]})
    assert again.status_code == 304
    clerk.do(location)
    assert 'hx-trigger="every 2s' not in clerk.browser.get(location, headers=HTMX).text


def test_a_sheet_of_a_workbook_is_imported(clerk: Clerk) -> None:
    template = clerk.browser.client.get("/imports/templates/trunk.xlsx").data
    page = clerk.send("trunk.xlsx", template, table="trunk", mode="insert")
    text = clerk.browser.get(page).text
    assert "The columns are enough." in text
    assert "No row follows the header" in text


def test_the_page_of_a_job_leads_to_its_import_and_back(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    job = location.replace("/imports/", "/jobs/")
    assert f'href="{location}" id="job-page"' in clerk.browser.get(job).text
    assert f'href="{job}"' in clerk.browser.get(location).text


def test_who_lost_the_right_to_imports_is_not_sent_to_a_closed_page(
    clerk: Clerk, desk: Desk
) -> None:
    job = clerk.run("t.csv", GOOD).replace("/imports/", "/jobs/")
    with desk.runtime.sessions.begin() as session:
        user = accounts.get_user_named(session, "clara")
        now = desk.runtime.clock()
        accounts.set_roles(session, user, actor=SYSTEM, roles=[Role.MEMBER], now=now)
    answer = clerk.browser.get(job)
    assert (answer.status_code, "job-page" in answer.text) == (200, False)


def test_an_import_of_good_rows_is_asked_to_pause(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD, partial="yes")
    clerk.desk.begin(location.rpartition("/")[2])
    assert f'action="{location}/pause"' in clerk.browser.get(location).text
    assert clerk.browser.post(f"{location}/pause").status_code == 303
    text = clerk.browser.get(location).text
    assert "It pauses as soon as the rows in hand are done." in text
    assert f'action="{location}/pause"' not in text


def test_what_is_all_or_nothing_offers_no_pause_and_says_why(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    clerk.desk.begin(location.rpartition("/")[2])
    assert "/pause" not in clerk.browser.get(location).text
    clerk.browser.post(f"{location}/pause")
    assert "cancel its job instead" in clerk.browser.get(location).text


def test_an_import_that_ended_meanwhile_is_not_paused(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD, partial="yes")
    clerk.browser.get(location)
    clerk.browser.post(f"{location}/pause")
    assert "Only a batch that waits or runs can be paused." in clerk.browser.get(location).text


@pytest.mark.parametrize(("mode", "asked"), [("insert", False), ("update", True), ("upsert", True)])
def test_by_what_rows_are_found_is_asked_only_where_they_are_looked_for(
    clerk: Clerk, mode: str, asked: bool
) -> None:
    page = clerk.send("t.csv", "id,code,height\n1,A1,3\n", table="trunk", mode=mode)
    assert ('id="look-key"' in clerk.browser.get(page).text) is asked


def seen_in(text: str) -> dict[str, str]:
    """What the forms of a grid send of the cells that they show."""
    return dict(re.findall(r'name="(seen-\d+)" value="([0-9a-f]+)"', text))


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_two_tabs_on_one_failing_row_do_not_write_over_each_other(
    clerk: Clerk, headers: dict[str, str]
) -> None:
    job = clerk.do(clerk.ask("t.csv", BAD))
    grid = f"/rows/{job.result['batch']}"
    seen = seen_in(clerk.browser.get(grid).text)
    clerk.browser.post(f"{grid}/2", {"cell-1": "41", **seen})
    answer = clerk.browser.post(f"{grid}/2", {"cell-1": "42", **seen}, headers=headers)
    assert answer.status_code == (422 if headers else 303)
    text = answer.text if headers else clerk.browser.get(grid).text
    assert "Somebody changed this to “41” meanwhile. Yours, “42”, was not kept" in text
    assert 'value="41"' in text
    again = clerk.browser.post(f"{grid}/2", {"cell-1": "42", **seen_in(text)}, headers=HTMX)
    assert (again.status_code, "meanwhile" in again.text) == (200, False)
