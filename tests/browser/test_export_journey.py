"""What the portal is for, once: sign in, load a manual, export it live, read it offline."""

import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Portal, sign_in

MANUAL = Path("/usr/share/doc/postgresql-doc-15/html")


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name in ("href", "src") and value]


def test_a_newcomer_exports_a_manual_that_opens_offline(
    page: Page, portal: Portal, tmp_path: Path
) -> None:
    sign_in(page, "admin", portal.one_time_password)
    expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
    page.get_by_label("Current password").fill(portal.one_time_password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    portal.shell("projects", "load", str(MANUAL), "--id", "manual", "--owner", "admin")

    page.goto("/projects/manual/exports")
    page.get_by_role("button", name="Export", exact=True).click()
    download = page.locator("a[href^='/artifacts/']").first
    expect(download).to_be_visible(timeout=90_000)
    expect(page.locator("[hx-trigger*='every']")).to_have_count(0)
    with page.expect_download() as waiting:
        download.click()
    archive = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(archive)

    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path / "offline")
    assert dead_links(tmp_path / "offline" / "manual") == []
    offline = page.context.new_page()
    offline.goto((tmp_path / "offline" / "manual" / "index.html").as_uri())
    expect(offline.get_by_role("link").first).to_be_visible()


def dead_links(root: Path) -> list[tuple[str, str]]:
    alive_before = {path.name for path in MANUAL.iterdir()}
    dead = []
    for page in (root / "pages").rglob("*.html"):
        for link in Links(page.read_text(encoding="utf-8")).found:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = page.parent / unquote(parts.path)
            if not target.exists() and Path(parts.path).name in alive_before:
                dead.append((page.name, link))
    return dead
