"""Telling another system by a signed POST. Redirects are not followed, metadata never reached."""

import hashlib
import hmac
import json
import socket
import ssl
import threading
from contextlib import closing, suppress
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Self
from urllib.parse import SplitResult, urlsplit

from portal.addresses import gives_keys, ip_of, is_translated
from portal.jobs.models import Outgoing
from portal.settings import Settings

SECONDS = 10.0
SIGNATURE = "Portal-Signature"
EVENT_ID = "Portal-Event-Id"


class RefusedError(Exception):
    """The webhook was not delivered; the text says why."""


def sign(body: bytes, *, secret: str, now: datetime) -> str:
    """The signature's header: HMAC-SHA256 over `timestamp.body`, as hex."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def send_webhook(
    outgoing: Outgoing, *, settings: Settings, now: datetime, seconds: float = SECONDS
) -> None:
    """Post the event; raises OSError, HTTPException, ValueError or RefusedError.

    Connecting takes at most `seconds`, and so does all that follows, however slowly the other
    side answers.
    """
    parts = urlsplit(outgoing.target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError("Its address must begin with http:// or https://.")
    body = json.dumps(outgoing.payload, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", EVENT_ID: str(outgoing.id)}
    if settings.webhook_secret:
        headers[SIGNATURE] = sign(body, secret=settings.webhook_secret, now=now)
    status = _post(parts, body, headers, seconds=seconds)
    if not 200 <= status < 300:
        raise RefusedError(_status_sentence(status))


def check_address(address: str) -> None:
    """Raise RefusedError for an address that only the machine itself should talk to."""
    ip = ip_of(address)
    if gives_keys(ip):
        raise RefusedError("Its address is link-local or a metadata service; that is refused.")
    if is_translated(ip):
        raise RefusedError("Its address is not that of one server; that is refused.")


class Limit:
    """Cuts a connection after some seconds; a context manager."""

    def __init__(self, connected: socket.socket, *, seconds: float) -> None:
        self._same = connected.dup()  # TLS takes the other handle for itself
        self._timer = threading.Timer(seconds, self._cut)
        self.passed = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._same.close()

    def _cut(self) -> None:
        self.passed = True
        with suppress(OSError):
            self._same.shutdown(socket.SHUT_RDWR)


def _post(parts: SplitResult, body: bytes, headers: dict[str, str], *, seconds: float) -> int:
    """The status that the other side answers with; its address is checked before a byte is sent."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    raw = socket.create_connection((parts.hostname or "", port), seconds)
    with raw, Limit(raw, seconds=seconds) as limit:
        try:
            check_address(raw.getpeername()[0])
            with closing(_spoken(raw, parts, seconds=seconds)) as connection:
                connection.request("POST", path, body, headers)
                return connection.getresponse().status
        except (OSError, HTTPException) as error:
            if limit.passed:
                raise RefusedError(f"It did not answer within {seconds:g} seconds.") from error
            raise


def _spoken(raw: socket.socket, parts: SplitResult, *, seconds: float) -> HTTPConnection:
    """HTTP over an open connection, with TLS where the address says so."""
    host = parts.hostname or ""
    if parts.scheme == "http":
        plain = HTTPConnection(host, parts.port, timeout=seconds)
        plain.sock = raw
        return plain
    context = ssl.create_default_context()
    secure = HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    secure.sock = context.wrap_socket(raw, server_hostname=host)
    return secure


def _status_sentence(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}; redirects are not followed."
    return f"It answered {status}."
