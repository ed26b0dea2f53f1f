"""What every page says to the browser, and what no page contains."""

import re

import pytest
from werkzeug.test import TestResponse

from tests.web.conftest import Site
from tests.web.routes import SAFE, routes

POLICY = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'")
FORM = re.compile(r"<form[^>]*method=\"post\".*?</form>", re.DOTALL | re.IGNORECASE)
UNSAFE = re.compile(
    r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:|<style|hx-on|hx-vals=.js|"
    r"(?:src|href|action)=\"(?:https?:)?//",
    re.IGNORECASE,
)


def pages(site: Site, name: str | None) -> dict[str, TestResponse]:
    """Every answer to a GET, by its address."""
    browser = site.browser(name)
    asked = [route for route in routes(site.app) if route.method in SAFE]
    return {str(route): browser.get(route.url(site.addresses)) for route in asked}


@pytest.mark.parametrize("name", ["admin", "owner", None])
def test_every_answer_carries_the_security_headers(site: Site, name: str | None) -> None:
    wrong = {}
    for url, response in pages(site, name).items():
        policy = response.headers.get("Content-Security-Policy", "")
        fine = (
            all(part in policy for part in POLICY)
            and "unsafe" not in policy
            and response.headers.get("X-Content-Type-Options") == "nosniff"
            and response.headers.get("X-Frame-Options") == "DENY"
            and response.headers.get("Referrer-Policy") == "same-origin"
        )
        if not fine:
            wrong[url] = dict(response.headers)
    assert wrong == {}


@pytest.mark.parametrize("name", ["owner", None])
def test_no_private_answer_is_kept_by_a_cache(site: Site, name: str | None) -> None:
    wrong = {}
    for url, response in pages(site, name).items():
        if url.startswith("GET /static/"):
            continue
        kept = response.headers.get("Cache-Control", "")
        private = "no-store" in kept or ("private" in kept and "no-cache" in kept)
        if not private or "Cookie" not in response.headers.get("Vary", ""):
            wrong[url] = (kept, response.headers.get("Vary"))
    assert wrong == {}


@pytest.mark.parametrize("name", ["admin", "owner", None])
def test_no_page_has_inline_code_or_asks_another_site(site: Site, name: str | None) -> None:
    found = {
        url: match.group(0)
        for url, response in pages(site, name).items()
        if response.mimetype == "text/html" and (match := UNSAFE.search(response.text))
    }
    assert found == {}


@pytest.mark.parametrize("name", ["admin", "owner", None])
def test_every_form_that_posts_carries_the_token(site: Site, name: str | None) -> None:
    bare = {
        url: form
        for url, response in pages(site, name).items()
        if response.mimetype == "text/html"
        for form in FORM.findall(response.text)
        if 'name="csrf_token"' not in form
    }
    assert bare == {}


def test_an_error_page_carries_the_headers_too(site: Site) -> None:
    response = site.browser("member").get("/no/such/page")
    assert response.status_code == 404
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
