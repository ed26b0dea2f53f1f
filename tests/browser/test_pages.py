"""Every page there is, in a real Chromium: accessible, light and dark, wide and narrow."""

import json
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from portal.app import create_app
from portal.settings import Settings
from tests.browser.conftest import PASSWORD, Portal, sign_in
from tests.waiting import wait_until

# What stands for the variable parts of addresses.
PARTS = {
    "<int:user_id>": "1",
    "<job_id>": "{job}",
    "<project_id>": "example-handbook",
    "<path:name>": "{page}",
    "<table>": "example_record",
    "<folder>": "finished",
    "<path:file>": "example-records.csv",
    "<run_id>": "{run}",
    "<batch_id>": "{batch}",
    "<int:rule>": "1",
    "<int:channel_id>": "1",
    "<int:endpoint_id>": "1",
    "<source>": "finished",
    "<path:finished>": "example-people.create.finished.csv",
    "<import_id>": "{import_id}",
    "<file_id>": "{file_id}",
    "<survey_id>": "{survey_id}",
    "<fetch_id>": "{fetch_id}",
}
# Answers to GET that are no pages. A new address is a page until it is named here.
NO_PAGES = {
    "static",
    "artifacts.download_artifact",
    "datacenter.download_file",
    "datacenter.upkeep.download_template",
    "delivery.at_work.show_recent",
    "delivery.at_work.show_throughput",
    "imports.download_template",
    "jobs.monitoring.show_health",
    "jobs.monitoring.show_metrics",
    "jobs.show_log",
    "jobs.show_status",
    "projects.download_file",
    "rows.download_failing",
    "rows.download_kept",
    "rows.show_candidates",
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
    make_rule(page)
    yield page
    context.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "scheme"), [(1360, "light"), (390, "dark")])
def test_every_page_is_accessible(
    signed_in: Page, portal: Portal, width: int, scheme: Literal["light", "dark"]
) -> None:
    faults = []
    signed_in.set_viewport_size({"width": width, "height": 900})
    signed_in.emulate_media(color_scheme=scheme)
    sent = {
        "file_id": send_file(signed_in),
        "survey_id": survey_file(signed_in),
        "fetch_id": fetch_file(signed_in),
    }
    for address in addresses(portal, sent):
        answer = signed_in.goto(address)
        assert answer is not None
        assert answer.status == (404 if address == "/no-such-page" else 200), address
        faults += [
            (address, violation["id"], violation["nodes"][0]["target"])
            for violation in Axe().run(signed_in).response["violations"]
        ]
        if signed_in.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append((address, "wider than the window", []))
    assert faults == []


def make_rule(page: Page) -> None:
    page.goto("/datacenter/rules/new")
    page.get_by_label("Name", exact=True).fill("People of the week")
    page.get_by_label("Files", exact=True).fill("people-*.csv")
    page.get_by_label("Processor").select_option("users")
    page.get_by_role("button", name="Make the rule").click()
    page.wait_for_url("**/datacenter/rules")


def send_file(page: Page) -> str:
    """Send a file that waits to be imported; returns its id."""
    page.goto("/imports")
    file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"number,name\n1,a\n"}
    page.set_input_files("input[type=file]", [file])
    page.locator("select[name=table]").first.select_option("example_record")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/imports/new/*")
    return urlsplit(page.url).path.rpartition("/")[2]


def survey_file(page: Page) -> str:
    """Send a file that is to become a table; returns the id of its survey once that is over."""
    page.goto("/imports/create-table")
    content = b"code,price,since\nN,1.50,2025-01-31\nS,2.25,\n"
    file = {"name": "prices.csv", "mimeType": "text/csv", "buffer": content}
    page.set_input_files("input[type=file]", [file])
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/imports/create-table/*")
    page.get_by_label("Name of the table").wait_for()
    return urlsplit(page.url).path.rpartition("/")[2]


def fetch_file(page: Page) -> str:
    """Have a file fetched from where there is none; returns the id of its job once that failed."""
    page.goto("/imports")
    page.get_by_text("Fetch it from an address instead").click()
    page.get_by_label("Address", exact=True).fill("https://files.example.invalid/orders.csv")
    page.get_by_role("button", name="Fetch it").click()
    page.get_by_role("link", name="Give another address").wait_for()
    return urlsplit(page.url).path.rpartition("/")[2]


def parts(portal: Portal) -> dict[str, str]:
    """Ids of what the example content made."""
    jobs = json.loads(portal.shell("jobs", "list", "--json").stdout)
    (export,) = [job["id"] for job in jobs if job["area"] == "projects"]
    (run,) = [job["id"] for job in jobs if job["area"] == "datacenter"]
    (imported,) = [job["id"] for job in jobs if job["title"].startswith("Import ")]
    wait_until(lambda: shown(portal, run)["state"] == "succeeded", timeout=60)
    batch = shown(portal, run)["result"]["batch"]
    return {
        "job": export,
        "page": "index",
        "run": run,
        "batch": batch,
        "import_id": imported,
    }


def shown(portal: Portal, job_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(portal.shell("jobs", "show", job_id, "--json").stdout)
    return answer


def addresses(portal: Portal, sent: dict[str, str]) -> list[str]:
    app = create_app(Settings.from_environment({"PORTAL_DATA": str(portal.data)}))
    known = parts(portal) | sent
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint not in NO_PAGES
        and not rule.rule.startswith("/api/")
    ]
    for part, value in PARTS.items():
        stands = value.format(**known)
        rules = [rule.replace(part, stands) for rule in rules]
    return [*rules, "/no-such-page"]
