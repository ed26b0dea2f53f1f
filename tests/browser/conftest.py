"""A whole portal, started as a newcomer starts it, and a real Chromium in front of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PASSWORD = "seven brown otters"
SETTINGS = {"PORTAL_RECONCILE_SECONDS": "1", "PORTAL_IMPORTS_HOSTS": "files.example.invalid"}
CHROMIUM = "/usr/bin/chromium"


@dataclass(frozen=True)
class Portal:
    """A running portal and what it printed."""

    url: str
    data: Path
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def one_time_password(self) -> str:
        return re.search(r"one-time password (\S+)", self.log.read_text())[1]

    def shell(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "portal.cli", *arguments],
            env=os.environ | {"PORTAL_DATA": str(self.data)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=check,
        )


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with tempfile.TemporaryDirectory(prefix="portal-browser-") as folder:
        yield from _run_portal(Path(folder))


def _run_portal(folder: Path) -> Iterator[Portal]:
    port = _free_port()
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "up", "--port", str(port)],
            env=os.environ | SETTINGS | {"PORTAL_DATA": str(folder / "data")},
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "Portal is at" in log.read_text(), timeout=60)
        yield Portal(f"http://127.0.0.1:{port}", folder / "data", log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
    )
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Browser, portal: Portal) -> Iterator[Page]:
    context = browser.new_context(base_url=portal.url, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    yield opened
    context.close()


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in_first(page: Page, portal: Portal) -> None:
    """Sign in as the administrator with the printed password, and choose one."""
    sign_in(page, "admin", portal.one_time_password)
    page.get_by_label("Current password").fill(portal.one_time_password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
