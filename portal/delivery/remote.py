"""A folder on a server, as sending and fetching see it; FTP and SFTP are behind it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from portal.delivery.addresses import Address
from portal.delivery.faults import AbsentError, DeliveryError, Reason

BLOCK = 256 * 1024
RESUME_FROM = 1024 * 1024  # what is shorter is quickly sent or fetched anew

Read = Callable[[int], bytes]
Told = Callable[[bytes], None]
Watch = Callable[[str], AbstractContextManager[None]]


def unwatched(_step: str) -> AbstractContextManager[None]:
    """Nobody wants to know how long a step of connecting takes."""
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class Server:
    """What is needed to work in a folder of a server.

    `tls_ca` are certificates (PEM) trusted besides those of the system; `host_key` is the SFTP
    server's key that was approved, as `name base64`; `allowed` the hosts of PORTAL_DELIVERY_HOSTS.
    """

    address: Address
    encoding: str = "utf-8"
    tls_verify: bool = True
    tls_ca: str = ""
    host_key: str = ""
    allowed: tuple[str, ...] = ()
    active: bool = False
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file on the server; `modified` is None where the server does not tell."""

    name: str
    size: int
    modified: datetime | None = None


class Remote(Protocol):
    """An open connection. Names are those of files in the folder; all methods raise DeliveryError.

    LostError says that the last step may have been done: who gets it looks again by a new
    connection before doing anything else.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def resumes(self) -> bool:
        """Whether `store` can go on where an earlier one ended."""
        ...

    @property
    def algorithm(self) -> str:
        """Which sums of files the server tells, as hashlib calls them; empty: none."""
        ...

    def facts(self) -> dict[str, str]:
        """What the server said of itself: encryption, greeting, what it can do."""
        ...

    def files(self) -> list[RemoteFile]:
        """The files of the folder, by name; folders and links are not among them."""
        ...

    def find(self, name: str) -> RemoteFile | None:
        """The file with this name, None where there is none."""
        ...

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """How long these files are; those that are not there are left out."""
        ...

    def sums(self, sizes: Mapping[str, int]) -> dict[str, str]:
        """The sums of files of these sizes; those that the server does not tell are left out."""
        ...

    def store(self, name: str, read: Read, *, told: Told, offset: int = 0) -> None:
        """Write what `read` gives to a file, from its byte `offset` on.

        `read` is asked for so many bytes at most, until it has none; `told` of each block.
        """
        ...

    def retrieve(self, name: str, *, told: Told, offset: int = 0) -> None:
        """Read a file from its byte `offset` on; `told` of each block. Raises AbsentError."""
        ...

    def rename_new(self, source: str, target: str) -> None:
        """Rename where no file called `target` is, as far as the protocol can tell.

        Raises RenameRefusedError.
        """
        ...

    def rename(self, source: str, target: str) -> None:
        """Rename over `target`. Raises RenameRefusedError, AbsentError."""
        ...

    def rename_all(self, pairs: Sequence[tuple[str, str]]) -> list[DeliveryError | None]:
        """Rename each over its target, in this order; what was refused has its fault."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file. Raises AbsentError where there is none."""
        ...

    def close(self) -> None:
        """Say goodbye; never raises."""
        ...


class RenameRefusedError(DeliveryError):
    """The server did not rename; perhaps because the target exists."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.PERMISSION, message)


Dialler = Callable[[Server, Watch], Remote]


def read(remote: Remote, name: str, *, limit: int = BLOCK) -> bytes:
    """The content of a small file, at most `limit` bytes of it."""
    blocks: list[bytes] = []
    remote.retrieve(name, told=blocks.append)
    return b"".join(blocks)[:limit]


def discard(remote: Remote, name: str) -> None:
    """Delete a file of ours; none there is fine."""
    with suppress(AbsentError):
        remote.remove(name)
