"""What the pages of imports say to those who come back, ask twice, or sent the wrong file."""

import html
import re

import pytest
from flask import Flask

from portal.tables.actions import Action
from tests.imports.browsing import Clerk, clerk_of, grant, words
from tests.imports.scenes import Desk

GOOD = "code,height\nA1,3\nB2,4\n"
BAD = "code,height\nA1,3\nB2,tall\nC3,5\n"


@pytest.fixture
def clerk(app: Flask, desk: Desk) -> Clerk:
    made = clerk_of(app, desk)
    grant(desk, "trunk", *Action)
    return made


def shown(clerk: Clerk, url: str) -> str:
    return html.unescape(words(clerk.browser.get(url).text))


def test_a_plan_with_bad_rows_for_all_or_nothing_is_not_offered_to_be_applied(
    clerk: Clerk,
) -> None:
    plan = clerk.run("t.csv", BAD, action="plan")
    text = shown(clerk, plan)
    assert "As it is, nothing would be imported" in text
    assert "Apply this plan" not in text
    assert "Change the mapping" in text


def test_a_plan_with_bad_rows_for_the_good_ones_is_applied(clerk: Clerk) -> None:
    plan = clerk.run("t.csv", BAD, action="plan", partial="yes")
    assert "As it is" not in shown(clerk, plan)
    clerk.press(plan, "apply")
    assert clerk.desk.rows("SELECT code FROM trunk ORDER BY code") == [("A1",), ("C3",)]


def test_a_plan_that_was_applied_says_so_and_leads_there(clerk: Clerk) -> None:
    plan = clerk.run("t.csv", GOOD, action="plan")
    assert "was applied" not in shown(clerk, plan)
    applied = clerk.press(plan, "apply")
    assert "This plan was applied by clara." in shown(clerk, plan)
    page = clerk.browser.get(plan).text
    assert f'<a href="{applied}">Look at that import</a>' in page
    assert not re.search(r'button primary"[^>]*id="import-apply"', page)


def test_who_undoes_what_was_undone_meanwhile_is_told(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    clerk.press(location, "undo")
    answer = clerk.browser.post(f"{location}/undo")
    assert (answer.status_code, answer.location) == (303, location)
    assert "This import was undone already." in shown(clerk, location)


def test_who_does_again_what_was_done_again_meanwhile_is_told(clerk: Clerk) -> None:
    location = clerk.run("t.csv", GOOD)
    clerk.press(location, "undo")
    clerk.press(location, "redo")
    assert clerk.browser.post(f"{location}/redo").location == location
    assert "Only what was undone to its end can be done again." in shown(clerk, location)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "The file is empty; its first line must name the columns."),
        ("t.csv", b"%PDF-1.7\n%\xe2\xe3\n", "This is a PDF document"),
        ("t.xlsx", b"PK\x03\x04 no zip", "The spreadsheet is damaged"),
    ],
)
def test_a_file_without_anything_to_see_has_a_way_on_and_no_choices(
    clerk: Clerk, name: str, content: bytes, said: str
) -> None:
    page = clerk.send(name, content, table="trunk")
    text = shown(clerk, page)
    assert said in text
    assert "Send another file" in text
    assert "Encoding" not in text


def test_a_file_that_may_be_read_in_another_way_keeps_its_choices(clerk: Clerk) -> None:
    page = clerk.send("t.csv", b"\n\n\n", table="trunk")
    text = shown(clerk, page)
    assert "Delimiter" in text
    assert "Send another file" in text
