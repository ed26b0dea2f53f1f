"""One program's process, through its restarts: started under the guard, its output read by line."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LINE_BYTES = 65_536
_UMASK = 0o077


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run under which name (`name` marks its log lines).

    `is_ready`, if given, is asked until it says so, or for `ready_within` seconds; then the next
    program is started, and `announcement` is told to the user. A `foundation` starts before the
    database is prepared and ends after all others.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] | None = None
    ready_within: float = 30.0
    announcement: str = ""
    foundation: bool = False


class Lines:
    """Cuts a stream of bytes into lines; one that is too long becomes several."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes; with empty data, what is left."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if not data or len(self._rest) >= LINE_BYTES:
            whole, self._rest = [*whole, self._rest], b""
        return [line.rstrip(b"\r") for line in whole if line.strip()]


class Child:
    """The running process of `program`, or the wait for its next start (`restart_at`)."""

    def __init__(
        self,
        program: Program,
        *,
        selector: selectors.BaseSelector,
        relay: Callable[[str, bytes], None],
    ) -> None:
        self.program = program
        self.pid = 0
        self.ready = False
        self.announced = False
        self.deaths = 0
        self.lived = 0.0
        self.restart_at: float | None = None
        self._selector = selector
        self._relay = relay
        self._process: subprocess.Popen[bytes] | None = None
        self._outputs: dict[int, Lines] = {}

    def start(self) -> None:
        """Start it in a session of its own, to die when this process dies."""
        self.restart_at = None
        self._started_at = time.monotonic()
        ours, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the command is the launcher's own)
                [sys.executable, "-P", "-m", "portal.guard", "--parent", str(os.getpid()), "--"]
                + list(self.program.command),
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                env={**os.environ, **self.program.environment},
                start_new_session=True,
                umask=_UMASK,
            )
        finally:
            os.close(theirs)
            self._read_from(ours)
        self.pid = self._process.pid

    def terminate(self) -> None:
        """Ask it to end; do not start it again."""
        self.restart_at = None
        self._signal(os.kill, signal.SIGTERM)

    def kill(self) -> None:
        """End it and its process group."""
        self._signal(os.killpg, signal.SIGKILL)

    def died(self, status: int) -> None:
        """Note that the process was reaped."""
        if self._process is not None:
            self._process.returncode = status
        self.pid = 0
        self.ready = False
        self.lived = time.monotonic() - self._started_at

    def restart(self, *, deaths: int, at: float) -> None:
        """Plan the next start, after so many deaths in a row, at a monotonic time."""
        self.deaths = deaths
        self.restart_at = at

    def close(self) -> None:
        """Pass on what is left of the output, and close it."""
        for handle in list(self._outputs):
            while self._read(handle):
                pass
            if handle in self._outputs:
                self._close(handle)

    def _signal(self, send: Callable[[int, int], None], number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(self.pid, number)

    def _read_from(self, handle: int) -> None:
        os.set_blocking(handle, False)
        self._outputs[handle] = Lines()
        self._selector.register(handle, selectors.EVENT_READ, lambda: self._read(handle))

    def _read(self, handle: int) -> bool:
        """Pass on what can be read now; say whether there may be more."""
        try:
            data = os.read(handle, LINE_BYTES)
        except BlockingIOError:
            return False
        for line in self._outputs[handle].feed(data):
            self._relay(self.program.name, line)
        if not data:
            self._close(handle)
        return bool(data)

    def _close(self, handle: int) -> None:
        self._selector.unregister(handle)
        os.close(handle)
        del self._outputs[handle]
