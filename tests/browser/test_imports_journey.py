"""What imports are for, once: a file tried out, imported, its bad rows repaired, taken back."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Portal, sign_in, sign_in_first

RECORDS = """Number;Office;Title;Fee;Note
B-1;N;Birth;1,50;x
B-2;X;Marriage;2,50;y
B-3;S;Move;dear;z
"""
SLOW = 60_000


def test_a_file_is_tried_out_imported_repaired_and_taken_back(
    page: Page, browser: Browser, portal: Portal, tmp_path: Path
) -> None:
    portal.shell("example")
    sign_in_first(page, portal)
    file = tmp_path / "Neue Akten März.csv"
    file.write_text(RECORDS)
    page.goto("/imports")
    assert faults(page) == []
    page.set_input_files("input[type=file]", [file])
    page.locator("select[name=table]").first.select_option("example_record")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", name="Neue Akten März.csv")).to_be_visible()
    expect(page.get_by_label("Delimiter")).to_have_value("semicolon")
    choose(page, "Field of column Office", "office_id")
    choose(page, "Field of column Note", "")
    fee = page.locator("tr", has=page.get_by_label("Field of column Fee"))
    fee.locator("summary").click()
    fee.get_by_label("Numbers are written as").select_option("1234,56")
    expect(fee.get_by_text("→ 1.50")).to_be_visible()
    expect(page.get_by_text("The columns are enough.")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("a dry run, nothing was written")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("cell", name="dear", exact=True)).to_be_visible(timeout=SLOW)
    assert faults(page) == []

    page.get_by_role("link", name="Change the mapping").click()
    expect(page.get_by_label("Field of column Office")).to_have_value("office_id")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Nothing was imported", exact=False)).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Repair 2 failing rows").click()
    repair(page, "Office of row 2", "W")
    repair(page, "Fee of row 3", "3,00")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Successfully imported 3 row(s)")).to_be_visible(timeout=SLOW)

    page.locator("summary", has_text="Undo").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 rows that were inserted will be deleted")
    assert faults(page) == []
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_text("This import was undone")).to_be_visible(timeout=SLOW)
    works_without_scripts(browser, portal, file)


def works_without_scripts(browser: Browser, portal: Portal, file: Path) -> None:
    context = browser.new_context(base_url=portal.url, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(20_000)
    sign_in(page, "admin", PASSWORD)
    page.goto("/imports")
    page.set_input_files("input[type=file]", [file])
    page.get_by_role("button", name="Continue").click()
    page.locator("#look-processor").select_option("table:example_record")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.get_by_label("Field of column Number")).to_have_value("number")
    page.get_by_label("Field of column Office").select_option("office_id")
    page.get_by_label("If rows are bad").select_option("yes")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("h1")).to_contain_text("Dry run of Neue Akten März.csv")
    context.close()


def choose(page: Page, label: str, value: str) -> None:
    """Choose, and wait for the form that comes back."""
    with page.expect_response("**/imports/look/**"):
        page.get_by_label(label).select_option(value)
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def repair(page: Page, label: str, value: str) -> None:
    cell = page.get_by_label(label)
    cell.fill(value)
    cell.press("Tab")
    expect(page.get_by_label(label)).not_to_have_attribute("aria-invalid", "true")


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than the screen."""
    found = [str(rule["id"]) for rule in Axe().run(page).response["violations"]]
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return found if fits else [*found, "wider than the screen"]
