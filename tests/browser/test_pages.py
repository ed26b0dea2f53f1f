"""Every page there is, in a real Chromium: accessible, light and dark, wide and narrow."""

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from portal.app import create_app
from portal.settings import Settings
from tests.browser.conftest import PASSWORD, Portal, sign_in

pytestmark = pytest.mark.xdist_group("browser")

# What stands for the variable parts of addresses.
PARTS = {
    "<int:user_id>": "1",
    "<job_id>": "{job}",
    "<project_id>": "example-handbook",
    "<path:name>": "{page}",
    "<table>": "example_record",
}
# Answers to GET that are no pages. A new address is a page until it is named here.
NO_PAGES = {
    "static",
    "artifacts.download_artifact",
    "jobs.monitoring.show_health",
    "jobs.monitoring.show_metrics",
    "jobs.show_log",
    "jobs.show_status",
    "projects.download_file",
}


@pytest.fixture(scope="module")
def signed_in(portal: Portal, browser: Browser) -> Iterator[Page]:
    portal.shell("example")
    portal.shell("projects", "export", "example-handbook", "--wait")
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    sign_in(page, "admin", portal.one_time_password)
    page.get_by_label("Current password").fill(portal.one_time_password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    yield page
    context.close()


def test_every_page_is_accessible_in_both_themes_and_widths(
    signed_in: Page, portal: Portal
) -> None:
    faults = []
    for address in addresses(portal):
        for width, scheme in ((1360, "light"), (390, "dark")):
            signed_in.set_viewport_size({"width": width, "height": 900})
            signed_in.emulate_media(color_scheme=scheme)
            answer = signed_in.goto(address)
            assert answer is not None
            assert answer.status == (404 if address == "/no-such-page" else 200), address
            faults += [
                (address, scheme, violation["id"], violation["nodes"][0]["target"])
                for violation in Axe().run(signed_in).response["violations"]
            ]
            wider = "document.documentElement.scrollWidth > window.innerWidth"
            if signed_in.evaluate(wider):
                faults.append((address, scheme, "wider than the window", []))
    assert faults == []


def addresses(portal: Portal) -> list[str]:
    app = create_app(Settings.from_environment({"PORTAL_DATA": str(portal.data)}))
    (job,) = json.loads(portal.shell("jobs", "list", "--json").stdout)
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGES
    ]
    for part, value in PARTS.items():
        stands = value.format(job=job["id"], page="index")
        rules = [rule.replace(part, stands) for rule in rules]
    return [*rules, "/no-such-page"]
