"""The pages of endpoints: recording, testing, approving keys; secrets are never sent back."""

from typing import Any

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.delivery.credentials import open_vault
from portal.delivery.orders import try_endpoint
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.delivery.browsing import audited, follow, read, sign_in, words
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

LIST = "/delivery/endpoints"
HERE = f"{LIST}/1"
CANARY = "canary-of-a-password"
FORM = {
    "name": "partner",
    "transport": "ftpes",
    "host": "FTP.example.org",
    "port": "",
    "user": "olga@example.org",
    "password": CANARY,
    "key": "",
    "folder": "in/coming",
    "encoding": "utf-8",
    "tls_verify": "y",
    "tls_ca": "",
    "connections": "1",
    "limit": "",
}
OLD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGo1WbhIC6Xk9Qb1kGZ0oG0iOe0c6dZ0N8VQ2V9mXx1y"
NEW_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGo1WbhIC6Xk9Qb1kGZ0oG0iOe0c6dZ0N8VQ2V9mXx2z"


@pytest.fixture
def olga(app: Flask, runtime: Runtime) -> Browser:
    browser = sign_in(app, runtime, Role.OPERATOR)
    browser.get(LIST)
    return browser


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


@pytest.fixture
def sftp(runtime: Runtime, scripted: ScriptedServer) -> Site:
    """Its server shows another key than the one that was approved."""
    site = Site(runtime, url="sftp://test@127.0.0.1:9/", folder=scripted.folder, host_key=OLD_KEY)
    show_key(site, NEW_KEY)
    return site


def show_key(site: Site, key: str) -> None:
    with site.runtime.sessions.begin() as session:
        session.get_one(type(site.endpoint()), 1).shown_key = key


def secret_of(site: Site) -> str:
    return open_vault(site.runtime.settings).open(site.endpoint().secret)


def test_without_endpoints_one_is_told_what_to_do(olga: Browser) -> None:
    assert "No endpoints yet" in read(olga, LIST)


def test_an_endpoint_is_recorded_and_tested(olga: Browser, runtime: Runtime) -> None:
    text = follow(olga, LIST, FORM)
    assert "its connection is tested now" in text
    assert "ftpes://olga%40example.org@ftp.example.org/in/coming" in text
    assert "Queued" in text
    assert audited(runtime, "delivery.endpoint.add") == [("olga", "partner")]


def test_no_page_tells_a_password(olga: Browser) -> None:
    follow(olga, LIST, FORM)
    pages = [LIST, HERE, f"{HERE}/edit", "/delivery", "/jobs?scope=all"]
    assert not any(CANARY in olga.get(url).text for url in pages)


def test_a_refused_form_does_not_send_the_password_back(olga: Browser) -> None:
    response = olga.post(LIST, FORM | {"name": ""})
    assert response.status_code == 422
    assert CANARY not in response.text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": " "}, "Give the endpoint a name."),
        ({"host": ""}, "Name the host."),
        ({"host": "ftp.example.org/in"}, "is no host"),
        ({"host": "user@host"}, "is no host"),
        ({"port": "70000"}, "1 to 65535"),
        ({"folder": "../etc"}, "no '..'"),
        ({"encoding": "latin-99"}, "no encoding"),
        ({"tls_ca": "not a certificate"}, "no certificate"),
        ({"connections": "99"}, "from 1 to 16"),
        ({"limit": "1"}, "2 kB a second"),
        ({"key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "SFTP only"),
    ],
)
def test_a_wrong_endpoint_comes_back_with_what_is_wrong(
    olga: Browser, values: dict[str, Any], said: str
) -> None:
    response = olga.post(LIST, FORM | values)
    assert response.status_code == 422
    assert said in words(response.text)


def test_an_empty_password_stays_what_it_was(olga: Browser, site: Site) -> None:
    before = secret_of(site)
    endpoint = site.endpoint()
    said = {"transport": "ftp", "host": endpoint.host, "port": str(endpoint.port)}
    said |= {"user": endpoint.user_name, "folder": "other", "password": "", "limit": "500"}
    follow(olga, f"{HERE}/edit", FORM | said)
    assert (site.endpoint().folder, site.endpoint().rate_limit) == ("/other", 500_000)
    assert secret_of(site) == before


def test_another_host_needs_the_password_anew(olga: Browser, site: Site) -> None:
    response = olga.post(f"{HERE}/edit", FORM | {"host": "elsewhere.example.org", "password": ""})
    assert response.status_code == 422
    assert "needs the password anew" in words(response.text)
    assert site.endpoint().host == "127.0.0.1"


def test_each_step_of_a_test_is_shown_with_its_time(olga: Browser, site: Site) -> None:
    site.run(try_endpoint, "partner")
    text = read(olga, HERE)
    assert "Sign in Fine" in text
    assert "Rename another over it Fine" in text
    assert "Works" in text
    assert "Renames over files yes" in text


def test_the_step_that_is_taken_now_is_shown(
    olga: Browser, site: Site, scripted: ScriptedServer
) -> None:
    seen = []
    scripted.script.on_store = lambda: seen.append(words(olga.htmx("GET", HERE).text))
    site.run(try_endpoint, "partner")
    assert "List the folder Fine" in seen[0]
    assert "Write a file Now …" in seen[0]


def test_a_failed_test_says_which_step_and_why(
    olga: Browser, site: Site, scripted: ScriptedServer
) -> None:
    scripted.script.always["RETR .portal-test"] = "550 Permission denied."
    site.run(try_endpoint, "partner")
    text = read(olga, HERE)
    assert "Read it back Failed" in text
    assert "Permission denied" in text
    assert "Test failed" in read(olga, LIST)


def test_a_test_is_asked_for_by_a_button_and_joined(olga: Browser, site: Site) -> None:
    follow(olga, f"{HERE}/test")
    assert "Queued" in follow(olga, f"{HERE}/test")
    assert site.endpoint().tested_at is None


def test_a_changed_key_blocks_and_is_approved_by_an_operator(olga: Browser, sftp: Site) -> None:
    text = read(olga, HERE)
    assert "The server's key has changed" in text
    assert "Key changed" in read(olga, "/delivery")
    shown = text.partition("Shown now ")[2].partition(" Approve")[0]
    follow(olga, f"{HERE}/approve", {"key": shown})
    assert sftp.endpoint().host_key == NEW_KEY
    assert audited(sftp.runtime, "delivery.endpoint.approve") == [("olga", "partner")]


def test_a_key_that_changed_since_it_was_seen_is_not_approved(olga: Browser, sftp: Site) -> None:
    shown = read(olga, HERE).partition("Shown now ")[2].partition(" Approve")[0]
    show_key(sftp, OLD_KEY[:-1] + "x")
    assert "another key by now" in follow(olga, f"{HERE}/approve", {"key": shown})
    assert sftp.endpoint().host_key == OLD_KEY


def test_an_approved_key_is_forgotten(olga: Browser, sftp: Site) -> None:
    show_key(sftp, OLD_KEY)
    follow(olga, f"{HERE}/forget-key")
    assert sftp.endpoint().host_key == ""
    assert audited(sftp.runtime, "delivery.endpoint.forget_key") == [("olga", "partner")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_certificate_can_be_the_only_one_that_is_accepted(
    olga: Browser, runtime: Runtime, scripted_tls: tuple[ScriptedServer, str]
) -> None:
    server, certificate = scripted_tls
    site = Site(runtime, url=server.url("ftpes"), folder=server.folder, certificate=certificate)
    site.run(try_endpoint, "partner")
    text = read(olga, HERE)
    assert "Accept only this certificate" in text
    shown = text.partition(" Certificate certificate ")[2].split()[0]
    follow(olga, f"{HERE}/approve", {"key": f"certificate {shown}"})
    assert site.endpoint().host_key.startswith("x509 ")
    assert "Approved certificate" in read(olga, HERE)


def test_an_endpoint_that_channels_use_is_not_removed(olga: Browser, site: Site) -> None:
    assert "used by articles" in follow(olga, f"{HERE}/remove")
    assert site.endpoint().name == "partner"


def test_an_endpoint_that_nobody_uses_is_removed(olga: Browser, runtime: Runtime) -> None:
    follow(olga, LIST, FORM)
    assert "are forgotten" in follow(olga, f"{HERE}/remove")
    assert olga.get(HERE).status_code == 404
    assert audited(runtime, "delivery.endpoint.remove") == [("olga", "partner")]


def test_plain_ftp_is_shown_as_unencrypted(olga: Browser, site: Site) -> None:
    assert "Unencrypted" in read(olga, LIST)
    assert "go over the line unencrypted" in read(olga, HERE)
    assert site.endpoint().transport == "ftp"
