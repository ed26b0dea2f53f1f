"""Programs that are started in order, watched, restarted when they die, and ended without a trace.

All happens in one thread, the main one: the kernel ties a child to the thread that started it.
"""

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Self

import structlog

from portal.child import Child, Program
from portal.guard import adopt_orphans, kill_descendants

Relay = Callable[[str, bytes], None]
Handlers = dict[signal.Signals, Any]

READY_PAUSE = 0.05
IDLE_PAUSE = 5.0
LAST_SECONDS = 0.5

log = structlog.get_logger("portal.up")


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How long to wait before a program that died is started again, in seconds."""

    first: float = 0.25
    most: float = 30.0
    healthy_after: float = 60.0
    failing_after: int = 5

    def deaths_in_a_row(self, former: int, *, lived: float) -> int:
        """Count a death; a life of `healthy_after` wipes out those before it."""
        return 1 if lived >= self.healthy_after else former + 1

    def delay(self, deaths: int) -> float:
        """Return the wait after so many deaths in a row: doubled each time, up to `most`."""
        return min(self.most, self.first * 2.0 ** min(deaths - 1, 20))


class Supervisor:
    """Runs programs until INT, TERM or HUP; as a context it leaves nothing running behind it.

    `relay` gets each line that a program writes, `announce` the announcements.
    """

    def __init__(
        self,
        *,
        relay: Relay,
        announce: Callable[[str], None],
        stop_seconds: float,
        backoff: Backoff | None = None,
    ) -> None:
        self._relay = relay
        self._announce = announce
        self._stop_seconds = stop_seconds
        self._backoff = backoff or Backoff()
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stops_asked = 0
        self._stopping = False
        self._former: Handlers = {}

    def __enter__(self) -> Self:
        """Adopt orphans and take over the signals."""
        adopt_orphans()
        self._awake, self._waker = socket.socketpair()
        for end in (self._awake, self._waker):
            end.setblocking(False)
        self._selector.register(self._awake, selectors.EVENT_READ, self._drain)
        self._former_waker = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._take_signals()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what runs and give the signals back."""
        try:
            self.stop()
        finally:
            for number, handler in self._former.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._former_waker)
            self._selector.close()
            self._awake.close()
            self._waker.close()

    @property
    def stop_asked(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._stops_asked > 0

    def start(self, programs: Iterable[Program]) -> None:
        """Start one after the other, each once the one before is ready or had its time."""
        for program in programs:
            if self.stop_asked:
                return
            child = Child(program, selector=self._selector, relay=self._relay)
            self._children.append(child)
            self._launch(child)
            self._await_ready(child)

    def watch(self) -> None:
        """Restart what dies, until a signal asks for the end."""
        while not self.stop_asked:
            self._turn()

    def stop(self) -> None:
        """End all: TERM in reverse order, KILL after `stop_seconds`, the foundation last.

        A second signal shortens the wait to nothing. Whatever else was started dies in the end.
        """
        if self._stopping:
            return
        self._stopping = True
        log.info("stopping")
        late_first = list(reversed(self._children))
        self._end([one for one in late_first if not one.program.foundation], self._stop_seconds)
        self._end([one for one in late_first if one.program.foundation], LAST_SECONDS)
        if left := kill_descendants():
            log.error("processes that cannot be killed are left", pids=left)
        for child in self._children:
            child.close()
        log.info("stopped")

    def _await_ready(self, child: Child) -> None:
        program = child.program
        deadline = time.monotonic() + program.ready_within
        while not (child.ready or self.stop_asked or child.deaths >= self._backoff.failing_after):
            if time.monotonic() >= deadline:
                log.warning("not ready in time, going on without it", program=program.name)
                return
            self._turn()

    def _turn(self) -> None:
        """React to what comes next: output, a death, a signal, a restart that is due."""
        self._react(self._pause())
        for child in self._children:
            if child.restart_at is not None and child.restart_at <= time.monotonic():
                self._launch(child)
            self._ask_ready(child)

    def _react(self, within: float) -> None:
        for key, _ in self._selector.select(within):
            key.data()
        self._bury_the_dead()

    def _launch(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:  # no memory, too many processes: that passes
            log.warning("cannot be started", program=child.program.name, reason=str(error))
            self._note_death(child, 0)
        else:
            log.info("started", program=child.program.name, pid=child.pid)

    def _pause(self) -> float:
        if any(child.pid and not child.ready for child in self._children):
            return READY_PAUSE
        due = [child.restart_at for child in self._children if child.restart_at is not None]
        return min([IDLE_PAUSE, *(max(0.0, at - time.monotonic()) for at in due)])

    def _ask_ready(self, child: Child) -> None:
        if not child.pid or child.ready:
            return
        program = child.program
        if program.is_ready is not None:
            if not program.is_ready():
                return
            log.info("ready", program=program.name)
        child.ready = True
        if program.announcement and not child.announced:
            child.announced = True
            self._announce(program.announcement)

    def _bury_the_dead(self) -> None:
        """Reap every zombie, ours and adopted; what a child left in its group dies with it."""
        with contextlib.suppress(ChildProcessError):
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                child = next((one for one in self._children if one.pid == dead.si_pid), None)
                if child is not None:
                    child.kill()
                status = os.waitpid(dead.si_pid, 0)[1]
                if child is not None:
                    self._note_death(child, os.waitstatus_to_exitcode(status))

    def _note_death(self, child: Child, status: int) -> None:
        child.died(status)
        if self._stopping:
            return
        deaths = self._backoff.deaths_in_a_row(child.deaths, lived=child.lived)
        delay = self._backoff.delay(deaths)
        child.restart(deaths=deaths, at=time.monotonic() + delay)
        name = child.program.name
        log.warning("ended, starting it again", program=name, status=status, in_seconds=delay)
        if deaths == self._backoff.failing_after:
            log.error("keeps failing; its lines say why, the other parts stay up", program=name)

    def _end(self, children: list[Child], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for child in children:
            child.terminate()
        while any(child.pid for child in children):
            left = deadline - time.monotonic()
            if left <= -LAST_SECONDS:  # not even KILL ends them: they hang in the kernel
                return
            if left <= 0 or self._stops_asked > 1:
                for child in children:
                    child.kill()
            self._react(max(READY_PAUSE, left))

    def _take_signals(self) -> None:
        self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # started under nohup
            self._former[number] = signal.signal(number, self._ask_stop)

    def _ask_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops_asked += 1

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._awake.recv(4096):
                pass
