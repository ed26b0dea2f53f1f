"""How a bench prints: ours, the peer, the median ratio of the pairs, the goal."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Pairs of figures, measured alternately, and the bound for the median of their ratios.

    The ratio is ours to the peer's; of `speed` the peer's seconds to ours: how much faster we are.
    """

    what: str
    ours: Sequence[float]
    peer: Sequence[float]
    at_most: float | None = None
    at_least: float | None = None
    speed: bool = False

    @property
    def ratio(self) -> float:
        """The median of the ratios of the pairs."""
        pairs = zip(self.ours, self.peer, strict=True)
        return statistics.median(
            theirs / mine if self.speed else mine / theirs for mine, theirs in pairs
        )

    @property
    def met(self) -> bool:
        """Whether the ratio keeps its bound."""
        if self.at_most is not None and self.ratio > self.at_most:
            return False
        return self.at_least is None or self.ratio >= self.at_least


def report(title: str, goals: Sequence[Goal]) -> bool:
    """Print all goals of one bench; true if all are met."""
    print(title)
    for goal in goals:
        bound = f"≤ {goal.at_most}" if goal.at_most is not None else f"≥ {goal.at_least}"
        print(
            f"  {goal.what}: ours {statistics.median(goal.ours):.3f}, "
            f"peer {statistics.median(goal.peer):.3f}, ratio {goal.ratio:.2f}, goal {bound}: "
            f"{'met' if goal.met else 'MISSED'}"
        )
    return all(goal.met for goal in goals)
