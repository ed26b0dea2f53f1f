"""The dashboard tells those who may know how many files wait."""

import re

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import PASSWORD, Office, open_office


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def figures(app: Flask, name: str) -> dict[str, str]:
    """What the dashboard counts, by its labels."""
    browser = Browser(app)
    browser.sign_in(name, PASSWORD)
    found = re.findall(
        r'stat-label">([^<]+)</span><strong class="stat-value">([^<]+)<', browser.get("/").text
    )
    return dict(found)


def test_the_dashboard_counts_files_that_wait_and_those_to_repair(
    app: Flask, office: Office
) -> None:
    office.put("users.csv", "name,email\nanna,a@example.org\nbob,none\n")
    office.process("users.csv", "users")
    office.put("more.csv", "name\ncleo\n")
    assert figures(app, "berta")["Data centre"] == "2"
    assert figures(app, "berta")["To repair"] == "1"


def test_an_empty_data_centre_counts_nothing(app: Flask, office: Office) -> None:
    assert figures(app, "berta")["Data centre"] == "0"


def test_who_may_not_see_the_data_centre_is_told_no_figures(app: Flask, runtime: Runtime) -> None:
    open_office(runtime, Role.MEMBER, name="mia")
    assert "Data centre" not in figures(app, "mia")
