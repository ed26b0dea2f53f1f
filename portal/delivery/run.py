"""What the steps of a run share, and what each of its connections has for itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from typing import Self

from portal.delivery.connecting import Line
from portal.delivery.faults import DeliveryError
from portal.delivery.ledger import Ledger
from portal.delivery.meter import FileMeter
from portal.delivery.names import TEMPORARY
from portal.delivery.pace import Pace
from portal.delivery.remote import Dialler, Server
from portal.delivery.remote_lock import RemoteLock
from portal.delivery.spool import Spool
from portal.jobs.work import Work

LOSSES = 3  # broken lines in a row that end a run


@dataclass
class Outcome:
    """What became of the files of a run."""

    done: int = 0
    bytes: int = 0
    failed: int = 0
    quarantined: int = 0
    uncertain: int = 0

    def facts(self) -> dict[str, int]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where the files of a run come from and go to. `names`: which of `new` are to be sent.

    `connections` is how many there are at most, `rate_limit` bytes a second for all of them.
    """

    server: Server
    spool: Spool
    names: Sequence[str]
    lock: RemoteLock
    dial: Dialler
    connections: int = 1
    rate_limit: int | None = None


class OtherEndedError(Exception):
    """Another connection of the run met what ends it."""


@dataclass(kw_only=True)
class Run:
    """One run of a channel, with a line of its own. `losses` counts broken lines in a row.

    All but `line` and `losses` is shared by the connections of a run; who writes down what is not
    the ledger's does it at the `desk`.
    """

    work: Work
    ledger: Ledger
    spool: Spool
    line: Line
    lock: RemoteLock
    outcome: Outcome
    pace: Pace
    meter: FileMeter
    over: threading.Event = field(default_factory=threading.Event)
    losses: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def of(cls, work: Work, ledger: Ledger, route: Route, outcome: Outcome, *, line: Line) -> Self:
        """The run of a route, whose line is open and locked."""
        return cls(
            work=work,
            ledger=ledger,
            spool=route.spool,
            line=line,
            lock=route.lock,
            outcome=outcome,
            pace=Pace(route.rate_limit),
            meter=FileMeter(work.runtime.redis, work.claim.job_id),
        )

    def beside(self) -> Self:
        """The same run with another connection."""
        return replace(self, line=self.line.another(), losses=0)

    @property
    def desk(self) -> threading.RLock:
        """Where one at a time writes."""
        return self.ledger.desk

    def temporary(self) -> str:
        """A name for a file on its way; it tells which attempt at which job made it."""
        claim = self.work.claim
        return f"{TEMPORARY}{claim.job_id[:12]}-{claim.token}-{next(self._numbers)}"

    def log(self, message: str) -> None:
        """Keep a warning for those who watch."""
        with self.desk:
            self.work.log(message, level="warning")

    def checkpoint(self) -> None:
        """A safe point; raises what ends the run."""
        if self.over.is_set():
            raise OtherEndedError
        with self.desk:
            self.work.checkpoint()

    def beat(self) -> None:
        """Between files: a sign of life in the lock on the server, by this connection."""
        self.lock.beat(self.line.remote)

    @contextmanager
    def moving(self, name: str, size: int, *, done: int = 0) -> Iterator[Callable[[int], None]]:
        """A file goes over the line; what is yielded is told of the length of each block."""
        shown = self.meter.begin(name, size, done=done)

        def told(length: int) -> None:
            shown(length)
            self._meanwhile()
            self.pace.moved(length, meanwhile=self._meanwhile)

        try:
            yield told
        finally:
            self.meter.end(name)

    def _meanwhile(self) -> None:
        """In the middle of a file the line is not free: a sign of life takes one of its own.

        Where the server gives none, the sign waits until the file has ended.
        """
        self.checkpoint()
        if not self.lock.is_due():
            return
        with suppress(DeliveryError), self.line.briefly() as remote:
            self.lock.beat(remote)
