"""The mapping form in a real Chromium: by keyboard, as one types, at any width, without scripts."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import PASSWORD, Portal, sign_in

PEOPLE = "Name;Full name;Since\nANNA;Anna Groß;x\nBob;n/a;y\n"
FORM = "/datacenter/files/people.csv?processor=users"


@pytest.fixture(scope="module")
def signed_in(browser: Browser, portal: Portal) -> dict[str, object]:
    """The cookies of the administrator, for whom a file waits."""
    file = portal.data.parent / "people.csv"
    file.write_text(PEOPLE)
    portal.shell("datacenter", "put", str(file))
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    sign_in(page, "admin", portal.one_time_password)
    page.get_by_label("Current password").fill(portal.one_time_password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    state = context.storage_state()
    context.close()
    return dict(state)


@pytest.fixture
def context(browser: Browser, portal: Portal, signed_in: dict) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=portal.url, storage_state=signed_in)
    opened.set_default_timeout(60_000)  # axe looks at everything, on machines that are busy
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def test_rules_are_typed_by_keyboard_and_shown_at_once(page: Page) -> None:
    page.goto(FORM)
    rules = page.locator("#rules-0")
    expect(rules).not_to_have_attribute("open", "")
    page.locator("#rules-0 > summary").focus()
    page.keyboard.press("Enter")
    values = page.locator("#rule-values-0")
    values.focus()
    page.keyboard.type("Bob = robert")
    expect(page.locator("#outcomes-0")).to_contain_text("Bob → robert")
    page.keyboard.type("\nanna")
    expect(page.locator("#rule-error-values-0")).to_have_text("Line 2: write “text = value”.")
    expect(page.get_by_role("button", name="Dry run")).to_be_disabled()
    expect(values).to_be_focused()
    expect(values).to_have_value("Bob = robert\nanna")
    page.keyboard.type(" = anne")
    expect(page.get_by_role("button", name="Dry run")).to_be_enabled()


def test_what_is_unfolded_and_typed_stays_when_the_form_comes_anew(page: Page) -> None:
    page.goto(FORM)
    page.locator("#rules-1 > summary").click()
    page.locator("#rule-values-0").evaluate("element => element.value = 'Bob = robert'")
    mode = page.locator("#look-mode")
    mode.focus()
    with page.expect_response("**/datacenter/look/people.csv"):
        mode.select_option("upsert")
    expect(page.locator("#outcomes-0")).to_contain_text("Bob → robert")
    expect(page.locator("#rules-1")).to_have_attribute("open", "")
    expect(page.locator("#look-mode")).to_be_focused()


def test_what_is_typed_while_an_answer_is_on_its_way_is_kept_and_counts(page: Page) -> None:
    page.goto(FORM)
    on_their_way: list[Route] = []

    def hold_first(route: Route) -> None:
        on_their_way.append(route)
        if len(on_their_way) > 1:
            route.continue_()

    page.route("**/datacenter/look/people.csv", hold_first)
    with page.expect_request("**/datacenter/look/people.csv"):
        page.locator("#look-mode").select_option("upsert")
    page.locator("#rules-0 > summary").click()
    page.locator("#rule-values-0").focus()
    page.keyboard.type("Bob = robert")
    on_their_way[0].continue_()
    expect(page.locator("#outcomes-0")).to_contain_text("Bob → robert")
    expect(page.locator("#rule-values-0")).to_have_value("Bob = robert")
    expect(page.locator("#rule-values-0")).to_be_focused()
    page.keyboard.type("\nx = y")
    expect(page.locator("#rule-values-0")).to_have_value("Bob = robert\nx = y")
    expect(page.locator("#look-mode")).to_have_value("upsert")


def test_back_from_a_dry_run_the_form_is_as_it_was_sent(page: Page) -> None:
    page.goto("/datacenter/files/people.csv")
    page.get_by_label("Processor").select_option("users")
    with page.expect_response("**/datacenter/look/people.csv"):
        page.get_by_label("Field of column Full name").select_option("")
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("a dry run, nothing was written")).to_be_visible(timeout=60_000)
    page.go_back()
    expect(page.get_by_label("Processor")).to_have_value("users")
    expect(page.get_by_label("Field of column Full name")).to_have_value("")
    expect(page.get_by_role("button", name="Dry run")).to_be_enabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390])
def test_the_unfolded_form_passes_axe_and_fits_its_screen(
    page: Page, theme: str, width: int
) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(FORM)
    for summary in page.locator("details.rules > summary").all():
        summary.click()
    page.locator("#rule-values-0").fill("nothing")
    expect(page.locator("#rule-error-values-0")).not_to_be_empty()
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["target"]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_preview_and_enter_show_what_cells_become(
    browser: Browser, portal: Portal, signed_in: dict
) -> None:
    context = browser.new_context(
        base_url=portal.url, storage_state=signed_in, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(FORM)
    page.locator("#rules-0 > summary").click()
    page.locator("#rule-case-0").select_option("lower")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.locator("#outcomes-0")).to_contain_text("ANNA → anna")
    page.locator("#constants > summary").click()
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_label("E-mail").press("Enter")
    expect(page.locator("#look-verdict")).to_contain_text("The value for all rows of")
    context.close()
