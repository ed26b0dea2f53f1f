"""The cookie, and the address that a request comes from."""

from collections.abc import Callable

from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser
from tests.web.conftest import Site

Make = Callable[..., Settings]


def cookie_line(browser: Browser, **options: object) -> str:
    return browser.get("/login", **options).headers["Set-Cookie"]


def test_scripts_and_other_sites_do_not_get_the_cookie(site: Site) -> None:
    line = cookie_line(Browser(site.app))
    assert line.startswith("portal=")
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/" in line
    assert "Domain" not in line


def test_behind_tls_the_cookie_is_bound_to_the_host(tls_browser: Callable[[], Browser]) -> None:
    line = cookie_line(tls_browser())
    assert line.startswith("__Host-portal=")
    assert "Secure" in line
    assert "Path=/" in line
    assert "Domain" not in line


def test_behind_tls_one_signs_in_and_is_told_to_stay_with_it(
    tls_browser: Callable[[], Browser],
) -> None:
    browser = tls_browser()
    browser.get("/login")
    response = browser.post(
        "/login",
        {"name": "member", "password": PASSWORD},
        headers={"Referer": "https://localhost/login"},
    )
    assert response.status_code == 303
    assert "max-age" in response.headers["Strict-Transport-Security"]


def test_the_cookie_does_not_outlive_the_browser(site: Site) -> None:
    browser = Browser(site.app)
    browser.get("/login")
    line = browser.post("/login", {"name": "member", "password": PASSWORD}).headers["Set-Cookie"]
    assert "Expires" not in line
    assert "Max-Age" not in line


def test_a_trusted_proxy_says_where_a_request_comes_from(
    make_browser: Callable[..., Browser],
) -> None:
    browser = make_browser(trusted_proxies=1)
    forwarded = {"X-Forwarded-For": "203.0.113.66, 198.51.100.7"}
    browser.get("/login")
    data = {"name": "member", "password": PASSWORD}
    browser.post("/login", data, headers=forwarded)
    assert "198.51.100.7" in browser.get("/accounts/me").text


def test_without_a_trusted_proxy_nobody_can_pretend_another_address(
    make_browser: Callable[..., Browser],
) -> None:
    browser = make_browser(trusted_proxies=0)
    browser.get("/login")
    data = {"name": "member", "password": PASSWORD}
    browser.post("/login", data, headers={"X-Forwarded-For": "198.51.100.7"})
    page = browser.get("/accounts/me").text
    assert "198.51.100.7" not in page
    assert "192.0.2.1" in page
