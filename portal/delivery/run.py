"""What the steps of a run share."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count

from portal.delivery.connecting import Line
from portal.delivery.ledger import Ledger
from portal.delivery.names import TEMPORARY
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
    """Where the files of a run come from and go to. `names`: which of `new` are to be sent."""

    server: Server
    spool: Spool
    names: Sequence[str]
    lock: RemoteLock
    dial: Dialler


@dataclass(kw_only=True)
class Run:
    """One run of a channel, with its line open. `losses` counts broken lines in a row."""

    work: Work
    ledger: Ledger
    spool: Spool
    line: Line
    lock: RemoteLock
    outcome: Outcome
    losses: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def temporary(self) -> str:
        """A name for a file on its way; it tells which attempt at which job made it."""
        claim = self.work.claim
        return f"{TEMPORARY}{claim.job_id[:12]}-{claim.token}-{next(self._numbers)}"
