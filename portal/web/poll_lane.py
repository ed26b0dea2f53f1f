"""A short way through the web process for the polls of a job's status.

Most requests of a portal that is watched are polls. They are answered here, before Flask makes a
request of them: by the cookie, the session's row and the shared look at the job. Whatever is not
the plain case (no cookie, somebody else's job, an ended job, a fault) goes the normal way.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts.sessions import SignedIn, find_signed_in
from portal.brief import Brief
from portal.web.cookie import CookieInterface
from portal.web.extensions import Services
from portal.web.headers import ALWAYS, HSTS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from portal.jobs.watching import PollAnswer, Watch

POLLS = re.compile(r"/jobs/([0-9a-f]{32})/status")
TOKEN = "_user_id"  # noqa: S105 (Flask-Login's name for it in the cookie)
CSRF = "csrf_token"
CSRF_SALT = "wtf-csrf-token"
FORM_TOKEN_SECONDS = 60.0
PRIVATE = [("Cache-Control", "private, no-cache"), ("Vary", "Cookie, HX-Request")]
HEADERS = [("Content-Type", "text/html; charset=utf-8"), *ALWAYS, *PRIVATE]

Observe = Callable[[int, float], None]


class PollLane:
    """Answers polls, and hands everything else to Flask."""

    def __init__(self, app: Flask, *, services: Services, watch: "Watch", observe: Observe) -> None:
        self._app = app
        self._flask = app.wsgi_app
        self._services = services
        self._watch = watch
        self._observe = observe
        self._cookies = CookieInterface()
        self._name = re.compile(
            rf"(?:^|;\s*){re.escape(app.config['SESSION_COOKIE_NAME'])}=([^;]+)"
        )
        self._form_tokens: Brief[str] = Brief(seconds=FORM_TOKEN_SECONDS)
        self._forms = URLSafeTimedSerializer(app.secret_key or "", salt=CSRF_SALT)
        app.session_interface = self._cookies

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer here what can be answered here."""
        began = time.perf_counter()
        answer = self._answer(environ)
        if answer is None:
            return self._flask(environ, start_response)
        body = None if answer.body is None else answer.body.encode()
        headers = _headers(answer.tag, body, secure=environ["wsgi.url_scheme"] == "https")
        start_response("304 NOT MODIFIED" if body is None else "200 OK", headers)
        self._observe(304 if body is None else 200, time.perf_counter() - began)
        return [] if body is None else [body]

    def _answer(self, environ: "WSGIEnvironment") -> "PollAnswer | None":
        if environ["REQUEST_METHOD"] != "GET" or environ.get("HTTP_HX_REQUEST") != "true":
            return None
        poll = POLLS.fullmatch(environ["PATH_INFO"])
        cookie = self._name.search(environ.get("HTTP_COOKIE", ""))
        if poll is None or cookie is None:
            return None
        content = self._cookies.content(self._app, cookie[1])
        try:
            return self._answer_whom(poll[1], content, environ)
        except SQLAlchemyError:
            return None  # the normal way says it in words

    def _answer_whom(
        self, job_id: str, content: dict[str, Any], environ: "WSGIEnvironment"
    ) -> "PollAnswer | None":
        secret = content.get(CSRF)
        whom = self._signed_in(content.get(TOKEN)) if secret else None
        if whom is None or whom.must_change_password or whom.seen_long_ago:
            return None
        return self._watch.answer(
            job_id=job_id,
            actor=whom.actor,
            csrf=secret,
            known=environ.get("HTTP_IF_NONE_MATCH", ""),
            token=lambda: self._form_tokens.get(secret, lambda: str(self._forms.dumps(secret))),
        )

    def _signed_in(self, token: str | None) -> SignedIn | None:
        if token is None:
            return None
        runtime, look_up = self._services.runtime, self._services.sign_ins
        return find_signed_in(look_up, token, now=runtime.clock(), settings=runtime.settings)


def _headers(tag: str, body: bytes | None, *, secure: bool) -> list[tuple[str, str]]:
    named = ("ETag", f'"{tag}"')
    if body is None:
        return [named, *PRIVATE]
    transport = [("Strict-Transport-Security", HSTS)] if secure else []
    return [named, ("Content-Length", str(len(body))), *HEADERS, *transport]
