"""A webhook that answers too slowly is cut off, whichever way it dribbles."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest

from portal.jobs.models import Outgoing
from portal.jobs.webhook import RefusedError, send_webhook

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMIT = 0.3


@contextmanager
def dribbler(drop, *, first=b""):
    """A server that says `first`, then `drop` again and again, for as long as somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_dribble, args=(server, first, drop))
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=20)
        assert not thread.is_alive(), "nobody hung up"


def _dribble(server, first, drop):
    connected, _ = server.accept()
    with connected, suppress(OSError):
        connected.sendall(first)
        while True:
            connected.sendall(drop)
            threading.Event().wait(0.02)


def outgoing(target):
    return Outgoing(id=7, channel="webhook", target=target, payload={"job": "a" * 32})


HANDSHAKE = b"\x16\x03\x03\x40\x00\x02"  # the head of a TLS record of 16 kB


@pytest.mark.parametrize(
    ("scheme", "first", "drop"),
    [
        ("http", b"", b"H"),
        ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("https", HANDSHAKE, b"\0"),
    ],
    ids=["its status", "its patience", "its handshake"],
)
def test_a_webhook_that_dribbles_is_cut_off(settings, scheme, first, drop):
    began = time.monotonic()
    with dribbler(drop, first=first) as port:
        target = outgoing(f"{scheme}://127.0.0.1:{port}/")
        with pytest.raises(RefusedError, match=r"did not answer within 0\.3 seconds"):
            send_webhook(target, settings=settings, now=NOW, seconds=LIMIT)
    assert LIMIT <= time.monotonic() - began < 10


def test_a_webhook_is_given_ten_seconds():
    assert send_webhook.__kwdefaults__["seconds"] == 10
