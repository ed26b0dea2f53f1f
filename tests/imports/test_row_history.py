"""Which import wrote a row of a table, by the ledger and by the files of imports."""

import html
import re

import pytest
from flask import Flask

from portal.accounts.permissions import SYSTEM, Role
from portal.db import open_sessions
from portal.rows.processors import Acting
from portal.rows.wrote import writers_of
from tests.imports.browsing import Clerk, clerk_of, rows_of, words
from tests.imports.conftest import NUMBERED
from tests.imports.scenes import Desk

GOOD = "code,height\nA1,3\nB2,4\n"


@pytest.fixture
def clerk(app: Flask, desk: Desk) -> Clerk:
    return clerk_of(app, desk, "clara", Role.ADMIN)


def history(clerk: Clerk, query: str, table: str = "trunk") -> list[list[str]]:
    """File, row, what was done, of the page's first table."""
    text = clerk.browser.get(f"/imports/tables/{table}?{query}").text
    part = text.partition('aria-label="Imports that wrote the row"')[2].partition("</table>")[0]
    return [row[:3] for row in rows_of(part)]


def key_of(desk: Desk, code: str) -> int:
    return int(desk.rows(f"SELECT id FROM trunk WHERE code = '{code}'")[0][0])


def test_the_import_that_inserted_a_row_and_those_that_changed_it(clerk: Clerk) -> None:
    clerk.run("first.csv", GOOD)
    clerk.run("second.csv", "code,height\nB2,9\n", mode="update")
    assert history(clerk, f"row={key_of(clerk.desk, 'B2')}") == [
        ["second.csv", "1", "updated"],
        ["first.csv", "2", "inserted"],
    ]
    assert history(clerk, f"row={key_of(clerk.desk, 'A1')}") == [["first.csv", "1", "inserted"]]


def test_rows_without_another_name_than_their_number_are_told_by_all_they_were_given(
    clerk: Clerk,
) -> None:
    numbered = NUMBERED[clerk.desk.runtime.tables.dialect.name]
    clerk.desk.execute(f"CREATE TABLE note (id {numbered}, text varchar(20))")
    clerk.run("notes.csv", "text\nsame\nsame\nother\n", table="note")
    assert history(clerk, "row=2", "note") == [["notes.csv", "2", "inserted"]]


def test_a_row_that_no_import_wrote_says_so(clerk: Clerk) -> None:
    clerk.run("first.csv", GOOD)
    clerk.desk.execute("INSERT INTO trunk (id, code) VALUES (77, 'Z')")
    text = clerk.browser.get("/imports/tables/trunk?row=77").text
    assert "No import is known to have written it" in text


def test_the_row_is_found_by_what_is_typed_and_by_the_link_beside_it(clerk: Clerk) -> None:
    clerk.run("first.csv", GOOD)
    key = key_of(clerk.desk, "A1")
    assert history(clerk, f"row-0={key}") == [["first.csv", "1", "inserted"]]
    shown = clerk.browser.get("/tables/trunk").text
    links = [html.unescape(link) for link in re.findall(r'href="([^"]+\?row=[^"]+)"', shown)]
    assert f"/imports/tables/trunk?row={key}" in links


def test_rows_named_by_several_columns_are_found(clerk: Clerk) -> None:
    clerk.desk.execute(
        "CREATE TABLE shelf (room varchar(4) NOT NULL, place integer NOT NULL, label varchar(9),"
        " PRIMARY KEY (room, place))"
    )
    clerk.run("shelf.csv", "room,place,label\nA,1,x\nA,2,y\n", table="shelf")
    assert history(clerk, "row-0=A&row-1=2", "shelf") == [["shelf.csv", "2", "inserted"]]
    shown = clerk.browser.get("/tables/shelf").text
    link = html.unescape(re.findall(r'href="([^"]+\?row=[^"]+)"', shown)[1])
    assert history(clerk, link.partition("?")[2], "shelf") == [["shelf.csv", "2", "inserted"]]


@pytest.mark.parametrize("query", ["row=4711", "row=x", "row-0=x", "row=[", "row=9" * 30])
def test_a_row_that_is_not_there_is_said_beside_the_field(clerk: Clerk, query: str) -> None:
    text = clerk.browser.get(f"/imports/tables/trunk?{query}").text
    assert "There is no such row in the table." in words(text)


def test_files_with_very_many_rows_are_named_instead_of_searched(desk: Desk) -> None:
    batch = desk.batch(desk.run("first.csv", GOOD, table="trunk"))
    acting = Acting(actor=SYSTEM, now=desk.runtime.clock(), settings=desk.runtime.settings)
    processor = desk.wish().processors.get("table:trunk")
    with open_sessions(desk.runtime.tables)() as session:
        record = processor.records.find(session, {"code": "A1"}, acting=acting)
    assert record is not None
    found = writers_of(desk.runtime, processor, record, acting=acting, most_rows=1)
    assert [one.id for one in found.unsearched] == [batch.id]
    assert found.found == []
