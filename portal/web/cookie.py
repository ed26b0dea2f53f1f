"""Flask's signed cookie, whose signature is checked once for as long as a browser sends the same.

That a value was signed by us stays true. Its age is looked at again within a minute, and whom it
signs in is looked up in the database each time.
"""

from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature

from portal.brief import Brief

KEPT = 1024
KEPT_SECONDS = 60


class CookieInterface(SecureCookieSessionInterface):
    """Reads cookies as Flask does, and keeps those that were verified last."""

    def __init__(self) -> None:
        self._verified: Brief[dict[str, Any]] = Brief(seconds=KEPT_SECONDS, most=KEPT)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The content of the request's cookie; empty where there is none that is ours."""
        return self.session_class(self.content(app, request.cookies.get(self.get_cookie_name(app))))

    def content(self, app: Flask, value: str | None) -> dict[str, Any]:
        """What a cookie's `value` holds, in a dict of the caller's own; empty if it is not ours."""
        if not value:
            return {}
        return dict(self._verified.get(value, lambda: self._verify(app, value)))

    def _verify(self, app: Flask, value: str) -> dict[str, Any]:
        signing = self.get_signing_serializer(app)
        if signing is None:
            return {}
        try:
            age = int(app.permanent_session_lifetime.total_seconds())
            content: dict[str, Any] = signing.loads(value, max_age=age)
        except BadSignature:
            return {}
        return content
