"""Somebody with a role before the pages of delivery, and what one finds there."""

import html
import re
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.permissions import SYSTEM, Role
from portal.audit.models import AuditEntry
from portal.runtime import Runtime
from tests.browser_like import PASSWORD, Browser


def sign_in(app: Flask, runtime: Runtime, *roles: Role, name: str = "olga") -> Browser:
    """A browser in which a new user with these roles is signed in."""
    with runtime.sessions.begin() as session:
        accounts.create_user(
            session,
            actor=SYSTEM,
            name=name,
            roles=roles,
            password=PASSWORD,
            must_change_password=False,
            now=runtime.clock(),
        )
    browser = Browser(app)
    assert browser.sign_in(name).status_code == 303
    return browser


def words(text: str) -> str:
    """What stands on a page or in a fragment, without markup and with single spaces."""
    body = text.partition("<main")[2] or text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def read(browser: Browser, url: str, **options: Any) -> str:
    """The words of a page that is there."""
    response = browser.get(url, **options)
    assert response.status_code == 200, response.status
    return words(response.text)


def follow(browser: Browser, url: str, data: dict[str, Any] | None = None) -> str:
    """Post, and read the page that one is sent to."""
    response = browser.post(url, data)
    assert response.status_code == 303, (response.status, words(response.text))
    return read(browser, response.location)


def audited(runtime: Runtime, action: str) -> list[tuple[str, str]]:
    """Who did it to what, by the audit log."""
    with runtime.reads() as session:
        query = select(AuditEntry.actor_name, AuditEntry.object_id)
        found = session.execute(query.where(AuditEntry.action == action))
        return [(row[0], row[1]) for row in found]
