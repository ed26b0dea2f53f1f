"""The pages of tables: which there are, their rows and columns, who may do what."""

import html
import re
from collections.abc import Callable

import pytest

from portal.accounts.permissions import Role
from portal.runtime import Runtime
from portal.tables.actions import Action
from tests.browser_like import Browser
from tests.tables.conftest import Execute

SignIn = Callable[..., Browser]
Grant = Callable[..., None]
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)


def cells(text: str) -> list[list[str]]:
    """The rows of the first table of a page, as text, without the head."""
    rows = [_CELL.findall(row) for row in _ROW.findall(text)]
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in rows][
        1:
    ]


def column(browser: Browser, url: str, place: int) -> list[str]:
    """One column of a table's rows."""
    return [row[place] for row in cells(browser.get(url).text)]


def all_pages(browser: Browser, url: str, place: int) -> list[str]:
    """One column of all rows, page by page."""
    found: list[str] = []
    while url:
        text = browser.get(url).text
        found += [row[place] for row in cells(text)]
        more = re.search(r'rel="next" href="([^"]+)"', text)
        url = html.unescape(more[1]) if more else ""
    return found


def test_the_list_tells_rows_and_what_one_may(filled: None, grant: Grant, sign_in: SignIn) -> None:
    grant("office", (Role.IMPORT_MANAGER, Action.BROWSE))
    grant("record", (Role.IMPORT_MANAGER, Action.CREATE))
    shown = cells(sign_in(Role.IMPORT_MANAGER).get("/tables").text)
    assert [(row[0], row[1], row[4]) for row in shown] == [
        ("office", "2", "look"),
        ("record", "120", "create"),
    ]


def test_tables_that_are_not_granted_are_not_there(
    filled: None, grant: Grant, sign_in: SignIn
) -> None:
    grant("office")
    grant("record", (Role.IMPORT_MANAGER, Action.UPDATE))
    browser = sign_in(Role.IMPORT_MANAGER)
    assert [row[0] for row in cells(browser.get("/tables").text)] == ["record"]
    for url in ("/tables/office", "/tables/office/columns", "/tables/nothing"):
        assert browser.get(url).status_code == 404


def test_an_administrator_sees_every_table(filled: None, grant: Grant, sign_in: SignIn) -> None:
    grant("office")
    assert sign_in(Role.ADMIN).get("/tables/office").status_code == 200


def test_the_list_can_be_narrowed_and_says_what_to_do_when_it_is_empty(
    filled: None, sign_in: SignIn
) -> None:
    browser = sign_in(Role.ADMIN)
    assert [row[0] for row in cells(browser.get("/tables?text=REC").text)] == ["record"]
    assert "No table matches" in browser.get("/tables?text=zzz").text


def test_without_tables_the_page_says_where_they_come_from(
    runtime: Runtime, sign_in: SignIn
) -> None:
    assert "No tables yet" in sign_in(Role.ADMIN).get("/tables").text


def test_rows_are_shown_in_the_order_of_the_key_with_words_for_references(
    filled: None, sign_in: SignIn
) -> None:
    rows = cells(sign_in(Role.ADMIN).get("/tables/record").text)
    assert len(rows) == 50
    assert rows[1][:-1] == ["2", "R-001", "S", "–", "1", "–", "–", "–", "open"]


@pytest.mark.parametrize("order", ["", "down"])
@pytest.mark.parametrize("sort", ["id", "number", "copies", "state", "office_id", "fee"])
def test_going_through_all_pages_meets_every_row_once(
    filled: None, execute: Execute, sign_in: SignIn, sort: str, order: str
) -> None:
    execute("UPDATE record SET fee = copies / 7.0, state = NULL WHERE copies % 3 = 0")
    browser = sign_in(Role.ADMIN)
    found = all_pages(browser, f"/tables/record?sort={sort}&order={order}", 1)
    assert len(found) == 120
    assert sorted(found) == [f"R-{n:03}" for n in range(120)]


def test_rows_are_sorted_by_a_column_in_either_direction(filled: None, sign_in: SignIn) -> None:
    browser = sign_in(Role.ADMIN)
    up = all_pages(browser, "/tables/record?sort=copies", 4)
    assert up == [str(n) for n in range(120)]
    assert all_pages(browser, "/tables/record?sort=copies&order=down", 4) == up[::-1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("column=number&text=r-11", [f"R-{n}" for n in range(110, 120)]),
        ("column=number&test=is&text=R-007", ["R-007"]),
        ("column=copies&test=from&text=118", ["R-118", "R-119"]),
        ("column=copies&test=to&text=1", ["R-000", "R-001"]),
        ("column=copies&test=is&text=12", ["R-012"]),
        ("column=fee&test=filled", []),
        ("column=number&text=%25", []),
        ("column=number&text=_", []),
    ],
)
def test_rows_are_filtered(filled: None, sign_in: SignIn, query: str, numbers: list[str]) -> None:
    assert column(sign_in(Role.ADMIN), f"/tables/record?{query}", 1) == numbers


def test_references_are_filtered_by_their_word(filled: None, sign_in: SignIn) -> None:
    browser = sign_in(Role.ADMIN)
    found = all_pages(browser, "/tables/record?column=office_id&test=is&text=N", 4)
    assert found == [str(n) for n in range(0, 120, 2)]


@pytest.mark.parametrize(
    "query",
    [
        "column=none&text=x",
        "sort=none",
        "after=nonsense",
        "after=W10",
        "after=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0",  # a number of thirty digits
        "after=WyJcdWQ4MDAiXQ",  # half of a character
        "after=WyJcdTAwMDAiXQ",  # NUL
        "test=none",
    ],
)
def test_addresses_without_sense_are_no_server_errors(
    filled: None, sign_in: SignIn, query: str
) -> None:
    assert sign_in(Role.ADMIN).get(f"/tables/record?{query}").status_code in (200, 422)


def test_a_text_that_is_no_value_of_the_column_is_told(filled: None, sign_in: SignIn) -> None:
    answer = sign_in(Role.ADMIN).get("/tables/record?column=copies&test=is&text=many")
    assert answer.status_code == 422 or "No row matches" in answer.text


def test_long_texts_are_cut_in_the_list(execute: Execute, sign_in: SignIn) -> None:
    execute(
        "CREATE TABLE note (id integer PRIMARY KEY, body text)",
        f"INSERT INTO note VALUES (1, '{'x' * 5000}')",
    )
    (row,) = cells(sign_in(Role.ADMIN).get("/tables/note").text)
    assert len(row[1]) < 300


def test_what_is_in_a_table_is_text_on_the_page(execute: Execute, sign_in: SignIn) -> None:
    execute(
        'CREATE TABLE "<b>" (id integer PRIMARY KEY, "<i>" text)',
        "INSERT INTO \"<b>\" VALUES (1, '<script>alert(1)</script>')",
    )
    browser = sign_in(Role.ADMIN)
    address = re.search(r'href="(/tables/[^"?]+)"', browser.get("/tables").text)
    assert address is not None
    text = browser.get(address[1]).text
    assert "<script>alert" not in text
    assert "<i>" not in text


def test_a_table_without_a_key_shows_its_first_rows_and_why(
    execute: Execute, sign_in: SignIn
) -> None:
    execute("CREATE TABLE loose (a integer)", "INSERT INTO loose VALUES (1), (2)")
    text = sign_in(Role.ADMIN).get("/tables/loose").text
    assert "nothing can be imported" in text
    assert len(cells(text)) == 2


def test_the_columns_tell_types_and_rules(filled: None, sign_in: SignIn) -> None:
    text = sign_in(Role.ADMIN).get("/tables/record/columns").text
    rows = {row[0].split()[0]: row for row in cells(text)}
    assert rows["id"][3] == "the next number"
    assert rows["office_id"][4] == "code of a row of office"
    assert rows["state"][4] == "open, closed"
    assert rows["number"][4] == "text, at most 20 characters"


def test_an_administrator_grants_and_revokes_by_ticking(
    filled: None, sign_in: SignIn, people: object
) -> None:
    admin, manager = sign_in(Role.ADMIN), sign_in(Role.IMPORT_MANAGER)
    admin.get("/tables/record/grants")
    ticked = ["import_manager:browse", "export_manager:export"]
    assert admin.post("/tables/record/grants", {"grant": ticked}).status_code == 303
    assert manager.get("/tables/record").status_code == 200
    admin.get("/tables/record/grants")
    assert admin.post("/tables/record/grants", {}).status_code == 303
    assert manager.get("/tables/record").status_code == 404


def test_boxes_that_the_form_does_not_have_are_left(filled: None, sign_in: SignIn) -> None:
    admin = sign_in(Role.ADMIN)
    admin.get("/tables/record/grants")
    data = {"grant": ["operator:create", "admin:browse", "import_manager:nothing"]}
    assert admin.post("/tables/record/grants", data).status_code == 303
    assert sign_in(Role.IMPORT_MANAGER).get("/tables/record").status_code == 404


def test_htmx_gets_the_rows_alone(filled: None, sign_in: SignIn) -> None:
    browser = sign_in(Role.ADMIN)
    answer = browser.htmx("GET", "/tables/record?column=number&text=R-00")
    assert answer.text.lstrip().startswith('<div id="table-rows"')
    assert "ETag" in answer.headers


def test_rows_of_a_table_that_one_may_not_see_are_told_by_their_key_alone(
    filled: None, grant: Grant, sign_in: SignIn
) -> None:
    grant("office")
    grant("record", (Role.IMPORT_MANAGER, Action.BROWSE))
    browser = sign_in(Role.IMPORT_MANAGER)
    assert column(browser, "/tables/record?sort=number", 2)[:2] == ["1", "2"]
    assert column(browser, "/tables/record?column=office_id&test=is&text=N", 2) == []
    assert column(browser, "/tables/record?column=office_id&test=is&text=2", 2)[:1] == ["2"]
    assert "code of a row of office" not in browser.get("/tables/record/columns").text
