"""Telling another system by a signed POST. Redirects are not followed, metadata never reached."""

import hashlib
import hmac
import json
import socket
import ssl
import threading
from contextlib import closing, suppress
from datetime import datetime
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from portal.jobs.models import Outgoing
from portal.settings import Settings

SECONDS = 10.0
SIGNATURE = "Portal-Signature"
EVENT_ID = "Portal-Event-Id"
# Where clouds answer with credentials, outside of the link-local networks.
METADATA = frozenset(
    {
        ip_address("fd00:ec2::254"),
        ip_address("100.100.100.200"),
        ip_address("168.63.129.16"),
        ip_address("192.0.0.192"),
    }
)


class RefusedError(Exception):
    """The webhook was not delivered; the text says why."""


def sign(body: bytes, *, secret: str, now: datetime) -> str:
    """The signature's header: HMAC-SHA256 over `timestamp.body`, as hex."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def send_webhook(outgoing: Outgoing, *, settings: Settings, now: datetime) -> None:
    """Post the event; raises OSError, HTTPException, ValueError or RefusedError.

    The whole of it takes at most SECONDS, however slowly the other side answers.
    """
    parts = urlsplit(outgoing.target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError("Its address must begin with http:// or https://.")
    body = json.dumps(outgoing.payload, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", EVENT_ID: str(outgoing.id)}
    if settings.webhook_secret:
        headers[SIGNATURE] = sign(body, secret=settings.webhook_secret, now=now)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(_connected(parts.scheme, parts.hostname, parts.port)) as connection:
        end = threading.Timer(SECONDS, _cut, (connection.sock,))
        end.start()
        try:
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        finally:
            end.cancel()
    if not 200 <= status < 300:
        raise RefusedError(_status_sentence(status))


def check_address(address: str) -> None:
    """Raise RefusedError for an address that only the machine itself should talk to."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_link_local or found in METADATA:
        raise RefusedError("Its address is link-local or a metadata service; that is refused.")


def _connected(scheme: str, host: str, port: int | None) -> HTTPConnection:
    """A connection whose peer's address was checked before a byte was sent."""
    raw = socket.create_connection((host, port or (443 if scheme == "https" else 80)), SECONDS)
    try:
        check_address(raw.getpeername()[0])
        if scheme == "http":
            connection = HTTPConnection(host, port, timeout=SECONDS)
            connection.sock = raw
            return connection
        context = ssl.create_default_context()
        secure = HTTPSConnection(host, port, timeout=SECONDS, context=context)
        secure.sock = context.wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise
    return secure


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _status_sentence(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}; redirects are not followed."
    return f"It answered {status}."
