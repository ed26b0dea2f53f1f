"""A browser in which somebody is signed in, without the sign-in page."""

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.accounts import sessions
from portal.accounts.permissions import Actor
from portal.runtime import Runtime

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Browser:
    """Asks for pages as one person; `post` sends the token that forms carry."""

    def __init__(self, app: Flask, runtime: Runtime, actor: Actor | None = None) -> None:
        self.client: FlaskClient = app.test_client()
        if actor is not None:
            self._sign_in(runtime, actor)

    def _sign_in(self, runtime: Runtime, actor: Actor) -> None:
        assert actor.user_id is not None
        with runtime.sessions.begin() as session:
            token = sessions.start(
                session,
                user_id=actor.user_id,
                now=runtime.clock(),
                settings=runtime.settings,
                address="127.0.0.1",
                browser="test",
            )
        with self.client.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True

    def get(self, url: str, *, htmx: bool = False, **headers: str) -> TestResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(url, headers=given | ({"HX-Request": "true"} if htmx else {}))

    def post(self, url: str, *, htmx: bool = False, **fields: str) -> TestResponse:
        found = _TOKEN.search(self.client.get("/projects").text)
        token = found[1] if found else ""
        return self.client.post(
            url,
            data={"csrf_token": token, **fields},
            headers={"HX-Request": "true"} if htmx else {},
        )
