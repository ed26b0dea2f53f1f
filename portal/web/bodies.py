"""What a browser may send, and how slowly: a thread that waits for a body serves nobody else.

Behind a proxy that takes bodies in first none of this is felt.
"""

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Any

from flask import abort, request
from flask_login import current_user

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STRANGERS_BYTES = 64_000  # a stranger sends a name and a password
PATIENCE_SECONDS = 5.0
SLOWEST = 50_000  # bytes in a second


def limit_strangers() -> None:
    """Before every request: who is not signed in sends little; more is answered by 413, unread."""
    if _has_body(request.environ) and not current_user.is_authenticated:
        request.max_content_length = STRANGERS_BYTES


def refuse_nul() -> None:
    """Before every request: no text of people has a NUL, and PostgreSQL cannot even compare it."""
    given = [request.path, *request.args.values()]
    if _has_body(request.environ):
        given += [value for _, value in request.form.items(multi=True)]
    if any("\0" in text for text in given):
        abort(400)


class InTime:
    """Lets no body take longer than `patience` seconds and its length at the slowest speed."""

    def __init__(self, app: "WSGIApplication", *, patience: float = PATIENCE_SECONDS) -> None:
        self._app = app
        self._patience = patience

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer the request; where its body is late, the connection brings no more."""
        connection = environ.get("gunicorn.socket")
        if connection is None or not _has_body(environ):
            return self._app(environ, start_response)
        seconds = self._patience + _length(environ) / SLOWEST
        timer = Timer(seconds, _hang_up(connection))
        timer.daemon = True
        timer.start()
        try:
            return self._app(environ, start_response)
        finally:
            timer.cancel()


def _has_body(environ: dict[str, Any]) -> bool:
    return _length(environ) > 0 or "HTTP_TRANSFER_ENCODING" in environ


def _length(environ: dict[str, Any]) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


def _hang_up(connection: socket.socket) -> Callable[[], None]:
    def hang_up() -> None:
        with suppress(OSError):  # it is closed already
            connection.shutdown(socket.SHUT_RD)

    return hang_up
