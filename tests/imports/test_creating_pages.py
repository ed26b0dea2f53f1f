"""The pages on which a file becomes a table."""

import html
import io
import re
from dataclasses import replace

import openpyxl
import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.jobs.models import JobState
from portal.tables.catalog import catalog_of
from tests.imports.browsing import HTMX, Clerk, clerk_of, words
from tests.imports.scenes import Desk

FILE = "Code,Fee,Since\nN1,12.50,2025-01-31\nS1,3.125,\n"
FORM = {"table": "offices", "name-0": "code", "kind-0": "text", "required-0": "yes", "key-0": "yes"}
FORM |= {"name-1": "fee", "kind-1": "decimal", "digits-1": "10", "scale-1": "3", "name-2": "since"}
FORM |= {"kind-2": "date"}


@pytest.fixture
def admin(app: Flask, desk: Desk) -> Clerk:
    return clerk_of(app, desk, "ada", Role.ADMIN)


def send(clerk: Clerk, text: str = FILE, *, name: str = "Offices.csv") -> str:
    clerk.browser.get("/imports/create-table")
    form = {"file": (io.BytesIO(text.encode()), name)}
    answer = clerk.browser.post("/imports/create-table", form)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def surveyed(clerk: Clerk, text: str = FILE) -> str:
    location = send(clerk, text)
    assert clerk.do(location).state == JobState.SUCCEEDED
    return location


def chosen(page: str, name: str) -> str:
    """What stands in a field of the form."""
    select = re.search(rf'<select name="{name}".*?<option value="(\w+)" selected>', page, re.DOTALL)
    text = re.search(rf'name="{name}" [^>]*?value="([^"]*)"', page)
    found = select or text
    assert found is not None, name
    return found[1]


def test_while_the_file_is_looked_through_its_page_asks_for_itself(admin: Clerk) -> None:
    location = send(admin)
    page = admin.browser.get(location).text
    assert f'hx-get="{location}" hx-trigger="every 2s, job-ended from:body"' in page
    assert 'name="table"' not in page
    admin.do(location)
    fragment = admin.browser.get(location, headers=HTMX).text
    assert fragment.lstrip().startswith('<section id="draft"')
    assert "every 2s" not in fragment


def test_the_page_proposes_names_types_and_a_key(admin: Clerk) -> None:
    page = admin.browser.get(surveyed(admin)).text
    assert chosen(page, "table") == "offices"
    assert [chosen(page, f"name-{n}") for n in range(3)] == ["code", "fee", "since"]
    assert [chosen(page, f"kind-{n}") for n in range(3)] == ["text", "decimal", "date"]
    assert (chosen(page, "digits-1"), chosen(page, "scale-1")) == ("15", "3")
    assert 'name="key-0" value="yes" checked' in page
    assert 'name="required-2" value="yes" checked' not in page


def test_a_table_is_made_as_it_was_filled_in(admin: Clerk) -> None:
    location = surveyed(admin)
    said = FORM | {"name-1": "price", "out-2": "yes"}
    answer = admin.browser.post(location, said)
    assert answer.status_code == 303, answer.text
    assert admin.do(str(answer.location)).state == JobState.SUCCEEDED
    shape = catalog_of(admin.desk.runtime).get("offices")
    assert [column.name for column in shape.columns] == ["code", "price"]
    shown = html.unescape(words(admin.browser.get(str(answer.location)).text))
    assert "The table 'offices' was created." in shown
    assert "Successfully imported 2 row(s)" in shown


def test_what_cannot_be_a_table_comes_back_as_it_was_typed(admin: Clerk) -> None:
    location = surveyed(admin)
    said = FORM | {"table": "trunk", "name-0": "Select", "name-1": "fee", "name-2": "fee"}
    answer = admin.browser.post(location, said)
    assert answer.status_code == 422
    shown = html.unescape(words(answer.text))
    assert "There is a table or view 'trunk' already" in shown
    assert "'Select' is no name for it" in shown
    assert "Another column is called 'fee' already" in shown
    assert chosen(answer.text, "name-0") == "Select"


def test_a_file_can_be_looked_through_again_in_another_way(admin: Clerk) -> None:
    location = surveyed(admin, "a;b\n1,5;2\n")
    answer = admin.browser.post(f"{location}/read", {"delimiter": "comma"})
    again = str(answer.location)
    admin.do(again)
    assert "delimiter comma" in words(admin.browser.get(again).text)


def test_a_file_that_waits_to_be_imported_can_become_a_table(admin: Clerk) -> None:
    file_id = admin.send("more.csv", FILE).partition("?")[0].rpartition("/")[2]
    assert 'id="look-create-table"' in admin.browser.get(f"/imports/new/{file_id}").text
    answer = admin.browser.post("/imports/create-table", {"file_id": file_id})
    admin.do(str(answer.location))
    assert chosen(admin.browser.get(str(answer.location)).text, "table") == "more"


def test_a_file_that_is_none_of_rows_is_refused_where_it_was_sent(admin: Clerk) -> None:
    assert send(admin, "x", name="notes.txt") == "/imports/create-table"
    shown = words(admin.browser.get("/imports/create-table").text)
    assert "Unsupported file format: TXT" in shown


def test_nobody_sees_the_file_of_somebody_else(app: Flask, admin: Clerk) -> None:
    location = surveyed(admin)
    other = clerk_of(app, replace(admin.desk), "berta", Role.ADMIN)
    assert other.browser.get(location).status_code == 404
    assert other.browser.post(location, FORM).status_code == 404


def test_who_only_imports_reaches_no_page_of_it(app: Flask, desk: Desk, admin: Clerk) -> None:
    location = surveyed(admin)
    clerk = clerk_of(app, desk)
    for address in ("/imports/create-table", location):
        assert clerk.browser.get(address).status_code == 403
    page = clerk.browser.get(clerk.send("more.csv", FILE)).text
    assert "look-create-table" not in page


def test_the_page_proposes_how_numbers_are_written_and_takes_another_way(admin: Clerk) -> None:
    location = surveyed(admin, "code;fee\nN1;1.234,50\nS1;12,00\n")
    page = admin.browser.get(location).text
    assert '<option value=",." selected>1.234,56</option>' in page
    said = {**FORM, "number-1": ",'"}
    del said["name-2"], said["kind-2"]
    made = admin.do(str(admin.browser.post(location, said).location))
    assert (made.state, made.result["failed"]) == (JobState.FAILED, 1)
    said = "'1.234,50' is no number with a comma before decimals and an apostrophe"
    assert said in made.result["text"]


def test_a_number_that_a_spreadsheet_cannot_have_is_refused_at_its_column(admin: Clerk) -> None:
    book = openpyxl.Workbook()
    book.active.append(["code", "fee"])
    book.active.append(["N1", "1,5"])
    content = io.BytesIO()
    book.save(content)
    admin.browser.get("/imports/create-table")
    form = {"file": (io.BytesIO(content.getvalue()), "fees.xlsx")}
    location = str(admin.browser.post("/imports/create-table", form).location)
    admin.do(location)
    said = {name: text for name, text in FORM.items() if not name.endswith("-2")}
    answer = admin.browser.post(location, said | {"number-1": ",."})
    assert answer.status_code == 422
    assert "a spreadsheet gives its numbers with a decimal point" in words(answer.text)
