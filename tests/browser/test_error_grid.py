"""Files dropped and failing rows repaired with the keyboard, in a real Chromium."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Portal, sign_in_first

MANY = 1_200
PEOPLE = "Name;Full name;E-mail;Roles\n"
TABLES = """
    CREATE TABLE office (id INTEGER PRIMARY KEY, code VARCHAR(8) NOT NULL UNIQUE);
    INSERT INTO office (code) VALUES ('NORTH'), ('SOUTH');
    CREATE TABLE record (
        id INTEGER PRIMARY KEY,
        number VARCHAR(20) NOT NULL UNIQUE,
        office_id INTEGER REFERENCES office (id),
        remark TEXT);
"""


Grid = Callable[[str, list[str]], Page]


@pytest.fixture(scope="module")
def signed_in(browser: Browser, portal: Portal) -> Iterator[Page]:
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    sign_in_first(page, portal)
    yield page
    context.close()


@pytest.fixture
def grid(signed_in: Page, portal: Portal, tmp_path: Path) -> Grid:
    """`grid(name, rows)` processes people and opens the grid of those who fail."""

    def opened(name: str, rows: list[str]) -> Page:
        file = tmp_path / f"{name}.csv"
        file.write_text(PEOPLE + "\n".join(rows) + "\n")
        return open_grid(signed_in, portal, file, processor="users")

    return opened


def open_grid(page: Page, portal: Portal, file: Path, *, processor: str) -> Page:
    portal.shell("datacenter", "put", str(file))
    asked = ("--processor", processor, "--mode", "create", "--wait")
    portal.shell("datacenter", "process", file.name, *asked)
    page.goto("/datacenter/batches")
    page.get_by_role("link", name=file.name).first.click()
    page.get_by_role("link", name="Repair").click()
    expect(page.get_by_role("heading", name="Failing rows of")).to_be_visible()
    return page


@pytest.mark.parametrize("place", [".drop", "#files"], ids=["field", "list"])
def test_a_dropped_file_is_uploaded_and_not_opened(
    signed_in: Page, tmp_path: Path, place: str
) -> None:
    file = tmp_path / f"dropped on {place[1:]}.csv"
    file.write_text("a;b\n1;2\n")
    signed_in.goto("/datacenter")
    drop(signed_in, file, on=place)
    expect(signed_in.locator(".drop")).to_contain_text(file.name)
    signed_in.get_by_role("button", name="Upload").click()
    expect(signed_in.get_by_role("link", name=file.name)).to_be_visible()


def test_the_progress_of_an_upload_is_shown(signed_in: Page, tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("a;b\n" + "1234567890;abcdefghij\n" * 20_000)
    signed_in.goto("/datacenter")
    with slow_uploads(signed_in, bytes_a_second=400_000):
        signed_in.set_input_files("input[type=file]", [file])
        signed_in.get_by_role("button", name="Upload").click()
        expect(signed_in.get_by_role("progressbar", name="Uploaded")).to_be_visible()
        expect(signed_in.get_by_text("% sent")).to_be_visible()
    expect(signed_in.get_by_role("link", name="long.csv")).to_be_visible()


def test_ctrl_and_enter_keep_the_cell_and_retry(grid: Grid) -> None:
    page = grid("retry", ["dora;Dora;no address;member"])
    address = page.get_by_label("E-mail of row 1")
    address.fill("dora@example.org")
    address.press("Control+Enter")
    expect(page.locator("#batch")).to_contain_text("Created", timeout=60_000)
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=60_000)


def test_arrows_enter_and_tab_go_from_cell_to_cell(grid: Grid) -> None:
    page = grid("keys", [f"key{n};Key;no address;member" for n in (1, 2, 3)])
    page.get_by_label("E-mail of row 1").press("ArrowDown")
    expect(page.get_by_label("E-mail of row 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail of row 3")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_label("E-mail of row 1")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_label("Full name of row 1")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("E-mail of row 1")).to_be_focused()


def test_what_is_typed_while_a_row_is_on_its_way_stays(grid: Grid) -> None:
    page = grid("fast", ["eva;Eva;no address;emperor"])
    with slow_answers(page, milliseconds=300):
        page.get_by_label("Full name of row 1").fill("Eva Fast")
        page.keyboard.press("Tab")
        page.get_by_label("E-mail of row 1").fill("eva@example.org")
        page.keyboard.press("Tab")
        page.get_by_label("Roles of row 1").fill("member")
        page.keyboard.press("Tab")
        expect(page.get_by_text("ready")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Full name of row 1")).to_have_value("Eva Fast")
    expect(page.get_by_label("E-mail of row 1")).to_have_value("eva@example.org")
    expect(page.get_by_label("Roles of row 1")).to_have_value("member")


def test_the_lines_of_a_cell_stay_when_another_is_typed_over(grid: Grid) -> None:
    page = grid("lines", ['finn;"Finn\nof two lines";no address;member'])
    page.get_by_label("E-mail of row 1").fill("finn@example.org")
    page.keyboard.press("Tab")
    expect(page.locator("tr.ready")).to_have_count(1)
    expect(page.get_by_label("Full name of row 1")).to_have_value("Finn\nof two lines")


def test_a_value_is_replaced_in_all_failing_rows(grid: Grid) -> None:
    page = grid("replace", [f"rep{n};Rep;rep{n}@example.org;emperor" for n in range(60)])
    page.get_by_text("Replace a value everywhere").click()
    page.get_by_label("Column").select_option("Roles")
    page.get_by_label("Value", exact=True).fill("emperor")
    page.get_by_label("Becomes").fill("member")
    page.get_by_role("button", name="Replace in all failing rows").click()
    expect(page.get_by_text("Replaced in 60 rows.")).to_be_visible()
    expect(page.locator("tr.ready")).to_have_count(50)


def test_a_row_is_skipped_with_a_reason_and_not_without(grid: Grid) -> None:
    page = grid("skip", [f"skip{n};Skip;no address;member" for n in (1, 2)])
    page.get_by_label("Choose row 1").check()
    page.get_by_role("button", name="Skip chosen").click()
    expect(page.get_by_label("Choose row 1")).to_be_visible()
    page.get_by_label("Choose row 1").check()
    page.get_by_label("Reason to skip").first.fill("left last year")
    page.get_by_role("button", name="Skip chosen").click()
    expect(page.get_by_text("Skipped 1 row.")).to_be_visible()
    expect(page.get_by_label("Choose row 1")).to_have_count(0)
    expect(page.get_by_label("Choose row 2")).to_be_visible()


def test_a_candidate_is_chosen_for_a_reference(
    signed_in: Page, portal: Portal, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(portal.data / "tables.sqlite")) as tables:
        tables.executescript(TABLES)
    file = tmp_path / "records.csv"
    file.write_text("number;office_id;remark\n17;NORHT;a\n")
    page = open_grid(signed_in, portal, file, processor="table:record")
    office = page.get_by_label("office_id of row 1")
    office.fill("NOR")
    option = page.locator("datalist option")
    expect(option).to_have_count(1)
    office.fill(option.get_attribute("value") or "")
    office.press("Control+Enter")
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=60_000)
    with closing(sqlite3.connect(portal.data / "tables.sqlite")) as tables:
        assert tables.execute("SELECT number, office_id FROM record").fetchall() == [("17", 1)]


def test_many_failing_rows_come_page_by_page_and_quickly(grid: Grid) -> None:
    page = grid("many", [f"m{n};M;no address;member" for n in range(MANY)])
    expect(page.get_by_text(re.compile(r"^1\s200 of 1\s200 rows failed$"))).to_be_visible()
    expect(page.locator("[data-grid] tr")).to_have_count(50)
    begun = monotonic()
    page.get_by_role("link", name="Next rows").click()
    expect(page.get_by_label("E-mail of row 51")).to_be_visible()
    address = page.get_by_label("E-mail of row 100")
    address.fill("m100@example.org")
    address.press("Enter")
    expect(page.get_by_text("ready")).to_have_count(1)
    assert monotonic() - begun < 5


def drop(page: Page, file: Path, *, on: str) -> None:
    """Drop a file as a hand does: the browser itself decides what becomes of it."""
    box = page.locator(on).bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    carried = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    wire = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        wire.send("Input.dispatchDragEvent", {"type": step, **at, "data": carried})
    wire.detach()


@contextmanager
def slow_uploads(page: Page, *, bytes_a_second: int) -> Iterator[None]:
    yield from _slow(page, uploadThroughput=bytes_a_second)


@contextmanager
def slow_answers(page: Page, *, milliseconds: int) -> Iterator[None]:
    yield from _slow(page, latency=milliseconds)


def _slow(page: Page, **limits: int) -> Iterator[None]:
    wire = page.context.new_cdp_session(page)
    free = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", free | limits)
    yield
    wire.send("Network.emulateNetworkConditions", free)
    wire.detach()


def test_a_second_tab_is_told_what_the_first_one_typed(grid: Grid) -> None:
    first = grid("tabs", ["gina;Gina;no address;member"])
    second = first.context.new_page()
    second.goto(first.url)
    first.get_by_label("E-mail of row 1").fill("gina@example.org")
    first.keyboard.press("Tab")
    expect(first.get_by_text("ready")).to_have_count(1)
    second.get_by_label("E-mail of row 1").fill("other@example.org")
    second.keyboard.press("Tab")
    expect(second.get_by_text("Somebody changed this to “gina@example.org”")).to_be_visible()
    expect(second.get_by_label("E-mail of row 1")).to_have_value("gina@example.org")
    second.get_by_label("E-mail of row 1").fill("other@example.org")
    second.keyboard.press("Tab")
    expect(second.get_by_text("Somebody changed this")).to_have_count(0)
    first.reload()
    expect(first.get_by_label("E-mail of row 1")).to_have_value("other@example.org")
    second.close()
