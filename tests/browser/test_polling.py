"""What asks for itself again and again, and a person who reads and clicks in it meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

STATIC = Path(__file__).parents[2] / "static"
SITE = "http://polling.test"
BASE = """<!doctype html><meta name="csrf-token" content="x"><title>Polling</title>
<script src="/static/vendor/htmx.min.js" defer></script>
<script src="/static/portal.js" defer></script>
<main>{fragment}</main>
<p id="connection" hidden></p><div id="toasts"></div><dialog id="dialog"></dialog>
<p id="announcer"></p><template id="toast-template"><p class="toast-text"></p></template>"""
FRAGMENT = """<section id="part" hx-get="/part" hx-trigger="every 1s" hx-swap="outerHTML">
<p id="count">Answer {n}</p><a href="/there">Show {n} rows</a>
<details><summary>More</summary><p>inside</p></details>
<details class="menu"><summary>Menu</summary><div class="menu-panel">choices</div></details>
<div data-scrolls="Rows" style="overflow: auto; width: 10rem"><p style="width: 90rem">wide</p></div>
</section>"""


class Site:
    """A page with a part that is another one each time it is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.same = self.holds = False
        self.held: list[Route] = []

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path.startswith("/static/"):
            route.fulfill(path=STATIC / path.removeprefix("/static/"))
        elif path != "/part":
            route.fulfill(body=BASE.format(fragment=FRAGMENT.format(n=0)), content_type="text/html")
        elif self.holds:
            self.held.append(route)
        else:
            self.tell(route)

    def tell(self, route: Route) -> None:
        self.asked += 0 if self.same else 1
        tag, text = {"ETag": f'"{self.asked}"'}, FRAGMENT.format(n=self.asked)
        route.fulfill(body=text, headers=tag, content_type="text/html")

    def let_go(self) -> None:
        """Answer what was asked meanwhile."""
        self.holds = False
        for route in self.held:
            self.tell(route)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 500, "height": 700})
    context.route("**/*", site.answer)
    opened = context.new_page()
    opened.goto(f"{SITE}/here")
    yield opened
    context.close()


def let_it_come(page: Page, answers: int = 1) -> None:
    """Wait until so many more answers came, and were dealt with."""
    for _ in range(answers):
        with page.expect_response("**/part"):
            pass
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def test_a_slow_click_arrives_though_answers_come_meanwhile(page: Page) -> None:
    page.get_by_text("Show").hover()
    page.mouse.down()
    let_it_come(page, 2)
    expect(page.locator("#count")).to_have_text("Answer 0")
    page.mouse.up()
    page.wait_for_url("**/there")


def test_once_the_button_is_let_go_the_part_lives_on(page: Page) -> None:
    page.locator("#count").hover()
    page.mouse.down()
    let_it_come(page)
    page.mouse.up()
    let_it_come(page)
    expect(page.locator("#count")).not_to_have_text("Answer 0")


def test_a_key_that_is_down_reaches_its_button(page: Page) -> None:
    summary = page.locator("summary", has_text="More")
    summary.focus()
    page.keyboard.down(" ")
    let_it_come(page)
    page.keyboard.up(" ")
    expect(page.get_by_text("inside")).to_be_visible()


def test_what_is_unfolded_and_scrolled_stays_so(page: Page) -> None:
    page.locator("summary", has_text="More").click()
    page.locator("[data-scrolls]").evaluate("frame => frame.scrollTo(120, 0)")
    let_it_come(page, 2)
    expect(page.locator("#count")).not_to_have_text("Answer 0")
    expect(page.get_by_text("inside")).to_be_visible()
    assert page.locator("[data-scrolls]").evaluate("frame => frame.scrollLeft") == 120


def test_who_stands_on_a_link_stays_there_though_its_words_change(page: Page) -> None:
    page.locator("a", has_text="Show").focus()
    let_it_come(page, 2)
    expect(page.locator("a", has_text="Show")).not_to_have_text("Show 0 rows")
    expect(page.locator("a", has_text="Show")).to_be_focused()


def test_an_open_menu_is_not_taken_away_by_an_answer_under_way(page: Page, site: Site) -> None:
    site.holds = True
    with page.expect_request("**/part"):
        pass
    page.locator("summary", has_text="Menu").click()
    with page.expect_response("**/part"):
        site.let_go()
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    expect(page.get_by_text("choices")).to_be_visible()
    expect(page.locator("#count")).to_have_text("Answer 0")


def test_an_equal_answer_touches_nothing(page: Page, site: Site) -> None:
    let_it_come(page)
    site.same = True
    let_it_come(page)
    page.locator("#count").evaluate("count => count.dataset.kept = 'yes'")
    let_it_come(page, 2)
    expect(page.locator("#count")).to_have_attribute("data-kept", "yes")
