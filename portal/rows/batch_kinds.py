"""What kinds of batches there are. Areas offer them; whoever assembles a process registers them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import NotFoundError
from portal.jobs.kinds import Kinds
from portal.jobs.wake import Waker
from portal.rows.batch import Batch
from portal.rows.processors import Processors
from portal.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Who wants a batch's failed rows to be done again, and what jobs are made with."""

    actor: Actor
    now: datetime
    kinds: Kinds
    waker: Waker
    processors: Processors
    runtime: Runtime
    address: str = ""


def _failing_name(batch: Batch) -> str:
    stem = batch.order.file_name.rpartition(".")[0] or batch.order.file_name
    return f"{stem}.errors.csv"


def _nothing(_session: Session, _mapping: str) -> Iterable[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class BatchKind:
    """Whose batches these are: who may see and who may repair them, and where they are shown.

    `check_retry(session, batch, wish)` raises a PortalError where failed rows cannot be done again.
    `retry(session, batch, wish)` submits the job for a retry that was asked for, and returns the
    address of the page that shows it; it raises a PortalError where that cannot be.
    `failing_name` is what the file of failing rows is called when it is downloaded.
    `works_with(session, mapping)` names what goes on using a saved mapping, each in a few words.
    """

    name: str
    label: str
    url: str
    may_view: Callable[[Session, Actor, Batch], bool]
    may_repair: Callable[[Session, Actor, Batch], bool]
    check_retry: Callable[[Session, Batch, Wish], None]
    retry: Callable[[Session, Batch, Wish], str]
    page: Callable[[Batch], str]
    failing_name: Callable[[Batch], str] = _failing_name
    works_with: Callable[[Session, str], Iterable[str]] = _nothing


class BatchKinds:
    """A frozen set of kinds, found by name."""

    def __init__(self, kinds: Iterable[BatchKind]) -> None:
        self._kinds = MappingProxyType({kind.name: kind for kind in kinds})

    def get(self, name: str) -> BatchKind:
        """The kind called `name`; raise NotFoundError where this process has none."""
        if name not in self._kinds:
            raise NotFoundError("There is no such batch.")
        return self._kinds[name]

    def __iter__(self) -> Iterator[BatchKind]:
        return iter(self._kinds.values())
