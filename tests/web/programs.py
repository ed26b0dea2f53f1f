"""A program that uses the HTTP API by a token."""

from collections.abc import Collection
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Permission
from portal.accounts.tokens.service import create_token
from portal.runtime import Runtime


class Program:
    """Asks with a token and without a cookie."""

    def __init__(self, app: Flask, secret: str | None, *, address: str = "192.0.2.7") -> None:
        self.client = app.test_client()
        self.headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        self.address = address

    def ask(self, method: str, url: str, **options: Any) -> TestResponse:
        options["headers"] = self.headers | dict(options.get("headers", {}))
        return self.client.open(
            url, method=method, environ_base={"REMOTE_ADDR": self.address}, **options
        )

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.ask("GET", url, **options)

    def post(self, url: str, **options: Any) -> TestResponse:
        return self.ask("POST", url, **options)


def make_secret(
    runtime: Runtime,
    user: User,
    *,
    scopes: Collection[Permission] = (),
    days: int | None = None,
) -> str:
    """The secret of a new token of `user`."""
    with runtime.sessions.begin() as session:
        row = session.get_one(User, user.id)
        return create_token(
            session,
            row,
            actor=SYSTEM,
            name="nightly",
            scopes=scopes,
            days=days,
            now=runtime.clock(),
        )[1]
