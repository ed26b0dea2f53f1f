"""How often and when it is tried again, for each class of failure. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from portal.delivery.faults import Reason


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`ends_run`: it concerns the server, not the file. `tries`: then the file is put aside.

    A run that failed comes back after `first`, then twice as long each time, up to `longest`.
    """

    ends_run: bool
    tries: int = 3
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)


POLICIES = {
    Reason.AUTHENTICATION: Policy(
        ends_run=True, first=timedelta(minutes=15), longest=timedelta(hours=6)
    ),
    Reason.NETWORK: Policy(ends_run=True),
    Reason.SPACE: Policy(ends_run=True, first=timedelta(minutes=10), longest=timedelta(hours=2)),
    Reason.PERMISSION: Policy(ends_run=False, first=timedelta(minutes=5)),
    Reason.NOT_FOUND: Policy(ends_run=False, first=timedelta(minutes=5)),
    Reason.INTEGRITY: Policy(ends_run=False),
    Reason.REFUSED_NAME: Policy(ends_run=False, tries=1),
}


def is_given_up(reason: Reason, *, tries: int) -> bool:
    """Whether a file that failed so often goes to the quarantine."""
    policy = POLICIES[reason]
    return not policy.ends_run and tries >= policy.tries


def pause_before_run(reason: Reason, *, failures: int, chance: float) -> timedelta:
    """How long to wait after the `failures`-th failure in a row; `chance` (0 to 1) spreads them."""
    policy = POLICIES[reason]
    steps = min(max(failures, 1) - 1, 16)
    pause: timedelta = min(policy.first * (1 << steps), policy.longest)
    return pause * (0.75 + chance / 2)
