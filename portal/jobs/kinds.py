"""What kinds of jobs there are. Areas offer them; whoever assembles a process registers them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.jobs.models import Job

Args = Mapping[str, Any]
Task = Callable[..., dict[str, Any] | None]

QUICK = "quick"
DELIVERY = "delivery"
BULK = "bulk"
QUEUES = (QUICK, DELIVERY, BULK)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that a job of a kind can be about, as a schedule's form offers it."""

    args: Args
    label: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What `service.submit` is told besides kind and args, so that equal requests meet."""

    title: str
    subject_kind: str
    subject_id: str
    lane: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scheduling:
    """How a schedule asks for a kind of job: what `actor` may choose from, and the order for it.

    `order` raises a PortalError where what the job is about is gone; that stops the schedule.
    """

    choices: Callable[[Session, Actor], Iterable[Choice]]
    order: Callable[[Session, Args], Order]


def _no_page(_actor: Actor, _job: Job) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of job: the task, where it runs, who may see it and who may ask for it.

    `run(work, **args)` does the work. `may_run(session, actor, args)` is asked again by the
    worker when the job starts. A kind that is not `restartable` ends `interrupted` when its
    worker dies; the others are tried again. With `schedule` it can be put on a schedule.
    `page(actor, job)` is the address that shows what the job came to, empty where `actor` may not
    look there, and `page_label` what people call it.
    """

    name: str
    area: str
    label: str
    queue: str
    run: Task
    may_view: Callable[[Session, Actor, Job], bool]
    may_run: Callable[[Session, Actor, Args], bool]
    wall_limit: timedelta = timedelta(hours=6)
    restartable: bool = True
    schedule: Scheduling | None = None
    page: Callable[[Actor, Job], str] = _no_page
    page_label: str = ""


class Kinds:
    """A frozen set of kinds, found by name."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        found = list(kinds)
        self._kinds = MappingProxyType({kind.name: kind for kind in found})
        if len(self._kinds) != len(found):
            raise ValueError("two kinds of job have the same name")

    def get(self, name: str) -> Kind:
        """Return the kind called `name`; raise UnknownKindError where this process has none."""
        kind = self.find(name)
        if kind is None:
            raise UnknownKindError(f"This portal has no jobs of the kind {name!r}.")
        return kind

    def find(self, name: str) -> Kind | None:
        """Return the kind called `name`, or None."""
        return self._kinds.get(name)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())


class UnknownKindError(LookupError):
    """No such kind is registered in this process."""
