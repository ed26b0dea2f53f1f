"""Where files that came from outside can go by themselves. Areas offer it, delivery hands over."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from portal.accounts.permissions import Actor
from portal.errors import NotFoundError
from portal.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A whole file that came under `name`; it lies at `path` until it was taken.

    `mark` tells it from all others (at most 64 characters): what has it is taken in once.
    """

    name: str
    path: Path
    mark: str


@dataclass(frozen=True, kw_only=True)
class Intake:
    """An area that takes files in, by the right of `actor`.

    `take(runtime, incoming, actor)` copies the file; called again with the same mark it does
    nothing. It raises a PortalError that says why a file is refused. No session is open beside it.
    """

    name: str
    label: str
    may: Callable[[Actor], bool]
    take: Callable[[Runtime, Incoming, Actor], None]


class Intakes:
    """A frozen set of intakes, found by name."""

    def __init__(self, intakes: Iterable[Intake] = ()) -> None:
        found = list(intakes)
        self._intakes = MappingProxyType({intake.name: intake for intake in found})
        if len(self._intakes) != len(found):
            raise ValueError("two intakes have the same name")

    def get(self, name: str) -> Intake:
        """The intake with this name; raises NotFoundError."""
        intake = self._intakes.get(name)
        if intake is None:
            raise NotFoundError(f"Nothing here takes files in under the name {name!r}.")
        return intake

    def __iter__(self) -> Iterator[Intake]:
        return iter(self._intakes.values())


NO_INTAKES = Intakes()
