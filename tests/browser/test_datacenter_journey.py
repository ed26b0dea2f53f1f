"""What the data centre is for, once: a file from upload to records, its bad rows repaired."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Portal, sign_in

PEOPLE = """Name;Full name;E-mail;Roles
anna;Anna Groß;anna@example.org;member
bob;Bob;no address;member
cleo;Cleo;cleo@example.org;emperor
"""


def test_a_clerk_brings_a_file_to_records_and_repairs_its_bad_rows(
    page: Page, portal: Portal, tmp_path: Path
) -> None:
    sign_in(page, "admin", portal.one_time_password)
    page.get_by_label("Current password").fill(portal.one_time_password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    file = tmp_path / "Neue Leute März.csv"
    file.write_bytes(PEOPLE.encode("cp1252"))

    page.goto("/datacenter")
    page.set_input_files("input[type=file]", [file])
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="Neue Leute März.csv").click()
    expect(page.get_by_label("Delimiter")).to_have_value("semicolon")
    expect(page.get_by_role("cell", name="Anna Groß").first).to_be_visible()
    page.get_by_label("Processor").select_option("users")
    expect(page.get_by_text("The columns are enough.")).to_be_visible()

    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("a dry run, nothing was written")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Process it now").click()
    repair = page.get_by_role("link", name="Repair 2 failing rows")
    expect(repair).to_be_visible(timeout=60_000)
    repair.click()

    address = page.get_by_label("E-mail of row 2")
    expect(address).to_have_attribute("aria-invalid", "true")
    address.fill("bob@example.org")
    address.press("Enter")
    expect(page.get_by_label("E-mail of row 3")).to_be_focused()
    expect(page.get_by_text("ready")).to_have_count(1)
    roles = page.get_by_label("Roles of row 3")
    roles.fill("member")
    roles.press("Tab")
    expect(page.get_by_text("ready")).to_have_count(2)
    page.get_by_role("button", name="Retry all").click()
    expect(page.locator("#batch")).to_contain_text("Created", timeout=60_000)
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=60_000)

    page.goto("/datacenter/folders/finished")
    expect(page.get_by_text("Neue Leute März.csv")).to_be_visible()
    expect(page.get_by_text("Neue Leute März.create.finished.csv")).to_be_visible()
    page.goto("/datacenter")
    expect(page.get_by_text("No file waits")).to_be_visible()
