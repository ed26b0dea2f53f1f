"""The look holds what docs/look.md promises, in a real Chromium, on the real pages."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, Portal, sign_in
from tests.waiting import wait_until

PATHS = (
    "/",
    "/jobs",
    "/schedules",
    "/notifications",
    "/projects",
    "/projects/new",
    "/imports",
    "/accounts",
    "/accounts/new",
    "/accounts/me",
    "/accounts/password",
    "/audit",
    "/nothing/here",
)
WIDTHS = {"desk": 1360, "phone": 390}


@pytest.fixture(scope="module")
def signed_in(browser: Browser, portal: Portal) -> dict[str, object]:
    """The cookies of the administrator; each test opens its own browser with them."""
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_passes_axe_and_fits_its_screen(page: Page, theme: str, width: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": WIDTHS[width], "height": 844})
    for path in PATHS:
        page.goto(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_passes_axe(browser: Browser, portal: Portal, theme: str) -> None:
    page = browser.new_page(base_url=portal.url, color_scheme=theme)
    page.goto("/login")
    assert violations(page) == []
    page.close()


def test_pages_ask_nobody_else_and_break_no_policy(page: Page, portal: Portal) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for path in PATHS:
        page.goto(path)
    assert [url for url in asked if not url.startswith(portal.url)] == []
    assert [text for text in said if "Content Security Policy" in text] == []


def test_the_chosen_theme_stays_and_the_system_s_is_found_again(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_the_first_key_leads_past_the_navigation(page: Page) -> None:
    page.goto("/jobs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_escape_closes_a_menu_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/")
    opener = page.locator(".user-menu > summary")
    opener.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_destructive_button_asks_in_a_dialog_that_escape_closes(page: Page) -> None:
    page.goto("/accounts/1")
    opener = page.locator("summary", has_text="Disable")
    opener.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


def test_without_scripts_the_drawer_the_question_and_signing_out_work(
    browser: Browser, portal: Portal, signed_in: dict
) -> None:
    context = browser.new_context(
        base_url=portal.url,
        storage_state=signed_in,
        java_script_enabled=False,
        viewport={"width": 390, "height": 844},
    )
    page = context.new_page()
    page.goto("/accounts/1")
    page.locator("summary", has_text="Disable").click()
    expect(page.get_by_text("signed out at once")).to_be_visible()
    expect(page.get_by_role("button", name="Switch between light and dark")).to_be_hidden()
    page.locator(".drawer > summary").click()
    page.locator(".drawer").get_by_role("link", name="Audit").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    context.close()


def test_an_unchanged_poll_is_304_on_the_wire_and_replaces_nothing(page: Page) -> None:
    statuses = watch_wire(page)
    page.goto("/")

    def nothing_changed() -> bool:
        asked = len(statuses)
        page.evaluate("document.getElementById('dashboard').untouched = true")
        poll(page)
        wait_until(lambda: pump(page) or len(statuses) > asked)
        page.wait_for_function("!document.querySelector('#dashboard.htmx-request')")
        return statuses[-1] == 304

    wait_until(nothing_changed)  # workers may still be coming up behind the first answers
    assert page.evaluate("document.getElementById('dashboard').untouched") is True


def test_a_hidden_tab_does_not_poll_and_asks_at_once_when_it_is_seen(page: Page) -> None:
    asked: list[str] = []
    page.goto("/")
    page.on(
        "request", lambda request: "hx-request" in request.headers and asked.append(request.url)
    )
    show(page, hidden=True)
    poll(page)
    page.evaluate("new Promise((done) => requestAnimationFrame(done))")
    assert asked == []
    with page.expect_request(lambda request: "hx-request" in request.headers):
        show(page, hidden=False)


def test_a_portal_out_of_reach_is_told_until_it_answers_again(
    page: Page, context: BrowserContext
) -> None:
    page.goto("/")
    context.set_offline(True)
    poll(page)
    expect(page.get_by_text("Portal cannot be reached")).to_be_visible()
    context.set_offline(False)
    poll(page)
    expect(page.get_by_text("Portal cannot be reached")).to_be_hidden()


def violations(page: Page) -> list[tuple[str, list[object]]]:
    found = Axe().run(page).response["violations"]
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found]


def poll(page: Page) -> None:
    page.evaluate("document.body.dispatchEvent(new CustomEvent('portal:visible'))")


def show(page: Page, *, hidden: bool) -> None:
    """Chromium without a window never hides a tab; the page is told that it was."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def watch_wire(page: Page) -> list[int]:
    """The statuses of htmx's requests as they came over the wire, before the browser's cache."""
    statuses: list[int] = []
    polls: set[str] = set()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def sent(event: dict) -> None:
        if "HX-Request" in event["request"]["headers"]:
            polls.add(event["requestId"])

    def answered(event: dict) -> None:
        if event["requestId"] in polls:
            statuses.append(event["statusCode"])

    session.on("Network.requestWillBeSent", sent)
    session.on("Network.responseReceivedExtraInfo", answered)
    return statuses


def pump(page: Page) -> None:
    """Let Playwright hand out the events that have come in."""
    page.evaluate("0")
