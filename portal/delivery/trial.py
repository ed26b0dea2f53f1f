"""The connection test: every step that a delivery takes, really taken and timed, then undone."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from io import BytesIO
from typing import Any

from portal.delivery.faults import DeliveryError, HostKeyError, Reason
from portal.delivery.names import TEMPORARY
from portal.delivery.remote import Dialler, Remote, RenameRefusedError, Server, discard, read

_FIRST, _SECOND = b"Portal tests this connection.\n", b"Portal tests overwriting.\n"


@dataclass
class Step:
    """A step of the test: what it was, how long it took, and what went wrong."""

    name: str
    seconds: float = 0.0
    fault: str = ""


@dataclass
class Trial:
    """What a test found out. `profile` is what the server can do; `shown_key` is to be approved.

    `told` is called as each step begins, for those who watch; `over` says that no more will come.
    """

    steps: list[Step] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    shown_key: str = ""
    told: Callable[["Trial"], None] = lambda _trial: None
    over: bool = False

    @property
    def passed(self) -> bool:
        """Whether deliveries will work."""
        return self.over and not any(step.fault for step in self.steps)

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "passed": self.passed,
            "steps": [asdict(step) for step in self.steps],
            "profile": self.profile,
            "class": self.reason,
        }

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; its fault is kept and ends the test."""
        step = Step(name)
        self.steps.append(step)
        self.told(self)
        begun = time.perf_counter()
        try:
            yield
        except DeliveryError as fault:
            step.fault, self.reason = str(fault), str(fault.reason)
            if isinstance(fault, HostKeyError):
                self.shown_key = fault.shown
            raise
        finally:
            step.seconds = round(time.perf_counter() - begun, 4)


def try_out(
    server: Server,
    *,
    dial: Dialler,
    token: str,
    told: Callable[[Trial], None] = lambda _trial: None,
) -> Trial:
    """Test a server; never raises DeliveryError. `token` makes the names of its files its own."""
    trial = Trial(told=told)
    with suppress(DeliveryError):
        with trial.step("Find the server's address"):
            _resolve(server.address.host, server.address.port)
        with dial(server, trial.step) as remote:
            trial.profile |= remote.facts() | {"resumes": remote.resumes}
            _use(trial, remote, f"{TEMPORARY}test-{token}")
    trial.over = True
    return trial


def _use(trial: Trial, remote: Remote, name: str) -> None:
    """Write, rename, overwrite, read back, delete; what was written is removed in any case."""
    other = f"{name}-2"
    try:
        with trial.step("List the folder"):
            trial.profile["files"] = len(remote.files())
        with trial.step("Write a file"):
            _write(remote, f"{name}.part", _FIRST)
        with trial.step("Rename it"):
            remote.rename(f"{name}.part", name)
        with trial.step("Rename another over it"):
            _write(remote, other, _SECOND)
            trial.profile["renames_over"] = _renames_over(remote, other, name)
        with trial.step("Read it back"):
            _compare(remote, name)
        with trial.step("Delete it"):
            remote.remove(name)
    finally:
        for left in (f"{name}.part", other, name):
            with suppress(DeliveryError):
                discard(remote, left)


def _renames_over(remote: Remote, source: str, target: str) -> bool:
    """Whether the server replaces a file by renaming; where not, the old one makes room first."""
    try:
        remote.rename(source, target)
    except RenameRefusedError:
        remote.remove(target)
        remote.rename(source, target)
        return False
    return True


def _write(remote: Remote, name: str, content: bytes) -> None:
    remote.store(name, BytesIO(content).read, told=lambda _block: None)
    if remote.sizes([name]).get(name) != len(content):
        raise DeliveryError(
            Reason.INTEGRITY, "The server tells another size than that of the file it was sent."
        )


def _compare(remote: Remote, name: str) -> None:
    if read(remote, name) != _SECOND:
        raise DeliveryError(Reason.INTEGRITY, "The file came back with another content.")


def _resolve(host: str, port: int) -> None:
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(
            Reason.NETWORK, f"No server is known by the name {host!r}; check the spelling."
        ) from error
