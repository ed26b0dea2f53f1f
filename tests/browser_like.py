"""A browser without a screen: it keeps its cookie and sends the page's CSRF token along."""

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

PASSWORD = "seven brown otters"
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Browser:
    def __init__(self, app: Flask, *, address: str = "192.0.2.1", secure: bool = False) -> None:
        self.client = app.test_client()
        self.address = address
        self.scheme = "https" if secure else "http"
        self.token = ""

    def get(self, url: str, **options: Any) -> TestResponse:
        response = self._open("GET", url, **options)
        self._keep_token(response)
        return response

    def post(self, url: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        response = self._open(
            "POST", url, data={"csrf_token": self.token} | (data or {}), **options
        )
        self._keep_token(response)
        return response

    def open_unsafe(self, method: str, url: str) -> TestResponse:
        """An empty form, by whatever method."""
        return self._open(method, url, data={"csrf_token": self.token})

    def htmx(self, method: str, url: str, **headers: str) -> TestResponse:
        sent = {"HX-Request": "true", "X-CSRFToken": self.token} | headers
        return self._open(method, url, headers=sent)

    def sign_in(self, name: str, password: str = PASSWORD, next_url: str = "") -> TestResponse:
        self.get("/login")
        data = {"name": name, "password": password, "next": next_url}
        response = self.post("/login", data)
        if response.status_code == 303:
            self.get("/accounts/password")
        return response

    def cookie(self) -> str:
        found = [c for c in self.client._cookies.values() if c.key.endswith("portal")]
        return found[0].value if found else ""

    def copy_cookie_from(self, cookie: str, *, key: str = "portal") -> None:
        self.client.set_cookie(key, cookie)

    def _open(self, method: str, url: str, **options: Any) -> TestResponse:
        return self.client.open(
            url,
            method=method,
            environ_base={"REMOTE_ADDR": self.address, "HTTP_USER_AGENT": "Otter/1.0"},
            base_url=f"{self.scheme}://localhost",
            **options,
        )

    def _keep_token(self, response: TestResponse) -> None:
        if (found := _TOKEN.search(response.text)) is not None:
            self.token = found.group(1)
