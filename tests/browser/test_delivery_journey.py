"""A delivery from nothing, in a browser: record a server, test it, bind a spool, send."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal, sign_in_first
from tests.delivery.scripted_ftp import PASSWORD, scripted_ftp


def test_an_operator_sends_a_file_and_sees_it_arrive(
    page: Page, portal: Portal, tmp_path: Path
) -> None:
    sign_in_first(page, portal)
    with scripted_ftp(tmp_path / "ftp") as server:
        record(page, server.port)
        bind(page)
        spool = portal.data / "delivery" / "articles"
        (spool / "tmp" / "a.xml").write_text("<article/>")
        (spool / "tmp" / "a.xml").rename(spool / "new" / "a.xml")
        page.reload()
        expect(page.locator("#backlog")).to_contain_text("a.xml")
        page.get_by_role("button", name="Run now").click()
        expect(page.locator("#recent")).to_contain_text("Delivered", timeout=40_000)
        expect(page.locator("#throughput")).to_contain_text("1 file, 10 bytes")
        assert (server.folder / "a.xml").read_text() == "<article/>"


def record(page: Page, port: int) -> None:
    """By keyboard and labels alone; what is not FTP's is not asked."""
    page.goto("/delivery")
    page.get_by_role("link", name="New endpoint").click()
    page.get_by_label("Name", exact=True).fill("partner")
    page.get_by_label("Protocol").select_option("ftp")
    expect(page.get_by_label("Private key")).to_be_hidden()
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(port))
    page.get_by_label("User", exact=True).fill("test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Record and test it").press("Enter")
    expect(page.locator("#test")).to_contain_text("Works", timeout=40_000)


def bind(page: Page) -> None:
    page.get_by_role("link", name="New channel").click()
    page.get_by_label("Name", exact=True).fill("articles")
    expect(page.get_by_label("Endpoint")).to_have_value("partner")
    page.get_by_label("Only these files").fill("*.xml")
    page.get_by_role("button", name="Make the channel").click()
    expect(page.get_by_role("heading", name="articles")).to_be_visible()
