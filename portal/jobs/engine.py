"""The parts that the job engine works with, in one value."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.jobs.kinds import Kinds
from portal.runtime import Runtime


def _no_step(_name: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, kw_only=True)
class JobEngine:
    """A runtime and the kinds of jobs it can run.

    `step` is called with a name between any two steps that a crash can part; drills pass one that
    ends the process there.
    """

    runtime: Runtime
    kinds: Kinds
    step: Callable[[str], None] = _no_step
