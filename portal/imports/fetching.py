"""Fetching a file from an https address, as a stream, within limits.

Every address that a name leads to is judged before a packet goes there, and the connection is made
to that very address: a name that leads elsewhere a moment later gains nothing. Redirects are
followed a few times, and each of them is judged like the first address.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from itertools import islice
from typing import Self
from urllib.parse import SplitResult, urljoin

from portal.addresses import ip_of
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.imports.addresses import PORT, MayConnect, check_address, is_public, name_of
from portal.imports.words import MISSING
from portal.jobs.webhook import Limit
from portal.settings import Settings

REDIRECTS = 5
ADDRESSES = 8
MOVED = (301, 302, 303, 307, 308)
GONE = (404, 410)


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whom a fetch may talk to, and for how many seconds: in silence, and in all."""

    may_connect: MayConnect = is_public
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    silence: float = 30.0
    whole: float = 3600.0


OPEN_NET = Trust()


class Answer:
    """What a server answers to one request; a context manager."""

    response: HTTPResponse

    def __init__(self, parts: SplitResult, trust: Trust) -> None:
        self._parts, self._trust = parts, trust
        self._stack = ExitStack()
        self._limit: Limit | None = None

    def __enter__(self) -> Self:
        host, port = self._parts.hostname or "", self._parts.port or PORT
        path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        with self._stack as stack, self.faults():
            raw = stack.enter_context(_dial(host, port, self._trust))
            self._limit = stack.enter_context(Limit(raw, seconds=self._trust.whole))
            context, silence = self._trust.context(), self._trust.silence
            connection = HTTPSConnection(host, port, timeout=silence, context=context)
            stack.callback(connection.close)
            connection.sock = context.wrap_socket(raw, server_hostname=host)
            connection.request("GET", path, headers={"Accept-Encoding": "identity"})
            self.response = connection.getresponse()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Faults of the connection, in words."""
        try:
            yield
        except (OSError, HTTPException) as error:
            raise ConflictError(self._told(error)) from error

    @property
    def late(self) -> str:
        """That the connection was cut off because it took too long; empty where it was not."""
        passed = self._limit is not None and self._limit.passed
        return f"The file did not come within {self._trust.whole:g} seconds." if passed else ""

    def _told(self, error: Exception) -> str:
        host, trust = self._parts.hostname, self._trust
        if self.late:
            return self.late
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"The certificate of {host} is not to be trusted: {error.verify_message}."
        if isinstance(error, TimeoutError):
            return f"{host} was silent for {trust.silence:g} seconds; try again later."
        return f"{host} broke off ({type(error).__name__}); try again later."


class Arriving:
    """A file on its way: its `name`, its `size` where the server says it, and its bytes."""

    def __init__(self, answer: Answer, *, name: str, told: Callable[[int], None]) -> None:
        self.name = name
        self.size = _size(answer.response)
        self._answer = answer
        self._told = told
        self._arrived = 0

    def read(self, most: int, /) -> bytes:
        """Some more bytes, none at the end; raises ConflictError where the end came too early."""
        with self._answer.faults():
            chunk = self._answer.response.read1(most)
        self._arrived += len(chunk)
        if not chunk and self.size is not None and self._arrived < self.size:
            short = f"The server sent {self._arrived:,} of {self.size:,} bytes; try again later."
            raise ConflictError(self._answer.late or short)
        self._told(self._arrived)
        return chunk


@contextmanager
def arriving(
    settings: Settings,
    address: str,
    *,
    told: Callable[[int], None],
    trust: Trust = OPEN_NET,
) -> Iterator[Arriving]:
    """The file at `address`; `told` hears how many bytes came so far.

    Raises ForbiddenError for what may not be asked, NotFoundError where there is no such file, and
    ConflictError where the server does not do what it should.
    """
    asked = address
    for _ in range(REDIRECTS + 1):
        parts = check_address(settings, asked)
        with Answer(parts, trust) as answer:
            headers = answer.response.headers
            if answer.response.status in MOVED and headers["Location"]:
                asked = urljoin(asked, headers["Location"])
                continue
            _check(answer.response, address)
            yield Arriving(answer, name=name_of(address, headers), told=told)
            return
    raise ConflictError(f"The address leads on more than {REDIRECTS} times; give the last one.")


def _dial(host: str, port: int, trust: Trust) -> socket.socket:
    """Connect to the first address of `host` that may be connected to and answers."""
    refused, fault = False, None
    for family, kind, protocol, _, where in islice(_resolved(host, port), ADDRESSES):
        if not trust.may_connect(ip_of(str(where[0]))):
            refused = True
            continue
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(trust.silence)
            connection.connect(where)
        except OSError as error:
            connection.close()
            fault = error
        else:
            return connection
    if refused and fault is None:
        raise ForbiddenError(f"{host} leads into a private network; files are not fetched there.")
    raise ConflictError(f"{host} cannot be reached; try again later.") from fault


def _resolved(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str | int, ...]]]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]
    except (OSError, UnicodeError) as error:
        raise ConflictError(
            f"No server is known by the name {host}; look at the address again."
        ) from error


def _check(response: HTTPResponse, address: str) -> None:
    if response.status in GONE:
        raise NotFoundError(MISSING.format(path=address))
    if response.status != 200:
        raise ConflictError(f"The server answered {response.status} instead of sending the file.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ConflictError("The server sent the file packed, although it was asked not to.")
    if _size(response) is None and not response.chunked:
        raise ConflictError(
            "The server does not say how long the file is, so nobody can tell whether all came."
        )


def _size(response: HTTPResponse) -> int | None:
    with suppress(ValueError):
        said = response.headers.get("Content-Length")
        return None if said is None or response.chunked else int(said)
    return None
