"""What turns the rows of a file into records. Whoever assembles a process registers processors.

A processor says what its records look like and how one record is found, created, updated and
removed; everything else (reading, checking, the ledger, the dry run, retry, undo) is done for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.errors import NotFoundError, PortalError
from portal.settings import Settings
from portal.tabular.fields import Choice, Field, Values

SUGGESTED = 20


class Mode(StrEnum):
    """What a batch does with the rows of its file.

    UPSERT updates the record that a row names, and creates it where there is none; a processor
    is only ever asked for the one or the other.
    """

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    UPSERT = "upsert"


class Store(StrEnum):
    """Which database holds the records, and with them the ledger of a batch."""

    PORTAL = "portal"
    TABLES = "tables"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record as it stands: `key` finds it again, `values` holds every declared field."""

    key: str
    values: Values


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Who a batch acts for, when, and the settings of this process."""

    actor: Actor
    now: datetime
    settings: Settings


class RefusedRowError(PortalError):
    """One row cannot be done. `field` names the column at fault, empty for the whole row.

    `original` says the same in the words of the tools before Portal, for batches that want those.
    """

    def __init__(self, message: str, *, field: str = "", original: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.original = original


class Records(Protocol):
    """The four small functions of a processor. They flush, the engine commits.

    Each may raise RefusedRowError; what it wrote before is rolled back with a savepoint. Rights on
    the single object are checked here (`acting.actor`), for it is the worker that calls.
    """

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """The record that the identity fields in `values` name, or None."""
        ...

    def create(self, session: Session, values: Values, *, acting: Acting) -> Record:
        """Make a record of `values`; a field that is not there gets its default."""
        ...

    def update(self, session: Session, record: Record, values: Values, *, acting: Acting) -> Record:
        """Give `record` the `values`; a field that is not there stays as it is."""
        ...

    def remove(self, session: Session, record: Record, *, acting: Acting) -> None:
        """Remove `record`; its values were backed up before."""
        ...


@runtime_checkable
class Checking(Protocol):
    """Records that can say what they would refuse; only the dry run asks them.

    Without it a dry run tells what the file and the records as they stand tell, and the rest is
    seen when it is done: trying it out would burn numbers of sequences.
    """

    def check(
        self,
        session: Session,
        mode: Mode,
        record: Record | None,
        values: Values,
        *,
        acting: Acting,
    ) -> None:
        """Raise RefusedRowError where `mode` would be refused for `record` (None: a new one).

        `values` are what creating or updating would be given. Nothing is written.
        """
        ...


@runtime_checkable
class Suggesting(Protocol):
    """Records that can say which values a reference could have, for people who repair rows."""

    def suggest(
        self, session: Session, field: str, text: str, *, acting: Acting
    ) -> Sequence[Choice]:
        """At most SUGGESTED values of `field` that have `text` in them and the actor may know."""
        ...


@runtime_checkable
class ManyRecords(Records, Protocol):
    """Records that are also found and written many at a time, for large files.

    Answers are in the order of what was asked. Where one of many is refused, the engine rolls the
    writing of all back and does halves of them, down to single rows.
    """

    def find_many(
        self, session: Session, rows: Sequence[Values], *, acting: Acting
    ) -> Sequence[Record | None]:
        """`find` for each of `rows`."""
        ...

    def create_many(
        self, session: Session, rows: Sequence[Values], *, acting: Acting
    ) -> Sequence[Record]:
        """`create` for each of `rows`."""
        ...

    def update_many(
        self, session: Session, pairs: Sequence[tuple[Record, Values]], *, acting: Acting
    ) -> Sequence[Record]:
        """`update` for each of `pairs`."""
        ...

    def remove_many(self, session: Session, records: Sequence[Record], *, acting: Acting) -> None:
        """`remove` for each of `records`."""
        ...


@runtime_checkable
class Deriving(ManyRecords, Protocol):
    """Records that can work out, many at a time, which rules rows break.

    It is asked where very many rows are refused, instead of trying each of them.
    """

    def derive(
        self,
        session: Session,
        mode: Mode,
        rows: Sequence[tuple[Record | None, Values]],
        *,
        acting: Acting,
    ) -> Sequence[RefusedRowError | None]:
        """Why each of `rows` would certainly be refused; None where that is not known.

        Each is a record (None: a new one) with what creating or updating would be given. Nothing
        is written. What stands for the database's own words ends with `(derived)`.
        """
        ...


class KeepRemoved(Protocol):
    """Where removed records go before they are gone."""

    def __call__(self, records: Sequence[Record], *, at: int) -> int:
        """Write `records` behind the first `at` bytes; returns how many bytes there are then.

        What stood behind `at` belongs to a removal that was never committed and is cut off. It
        returns only when all of it is fsynced and was read back.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What can be made of a file's rows.

    `identities` are the alternatives by which a record is found: the first whose fields are all
    mapped is used. `permission` is needed besides the one to run batches (None: the records'
    functions decide per row). Where a worker dies with a batch of one that is not `repeatable`,
    the batch stops, and goes on only when a person says so. `unique` promises that the database
    refuses a second record with the same identity, so that many can be created without looking
    for each before.
    """

    name: str
    title: str
    help: str
    fields: tuple[Field, ...]
    identities: tuple[tuple[str, ...], ...]
    modes: tuple[Mode, ...]
    records: Records
    permission: Permission | None = None
    store: Store = Store.PORTAL
    repeatable: bool = True
    unique: bool = False

    def field(self, name: str) -> Field:
        """The declared field called `name`."""
        return next(field for field in self.fields if field.name == name)


class ProcessorSource(Protocol):
    """Processors that are known only at run time, such as one for each table."""

    def find(self, name: str) -> Processor | None:
        """The processor called `name`, or None."""
        ...

    def all(self, actor: Actor) -> Iterable[Processor]:
        """Those that `actor` may be offered."""
        ...


class Processors:
    """All processors of a process: declared ones, and those of `sources`."""

    def __init__(
        self, processors: Iterable[Processor], *, sources: Sequence[ProcessorSource] = ()
    ) -> None:
        declared = list(processors)
        self._declared: Mapping[str, Processor] = MappingProxyType({p.name: p for p in declared})
        self._sources = tuple(sources)
        if len(self._declared) != len(declared):
            raise ValueError("two processors have the same name")

    def get(self, name: str) -> Processor:
        """The processor called `name`; raise NotFoundError where there is none."""
        found = self._declared.get(name) or next(self._from_sources(lambda s: s.find(name)), None)
        if found is None:
            raise NotFoundError(f"There is no processor called {name!r}.")
        return found

    def offered(self, actor: Actor) -> list[Processor]:
        """The processors that `actor` may be offered, by title."""
        own = [p for p in self._declared.values() if _may(actor, p)]
        dynamic = [p for source in self._sources for p in source.all(actor)]
        return sorted((*own, *dynamic), key=lambda processor: processor.title.casefold())

    def titles(self, actor: Actor) -> dict[str, str]:
        """The titles of those by their names."""
        return {processor.name: processor.title for processor in self.offered(actor)}

    def allows(self, actor: Actor, name: str, mode: Mode) -> bool:
        """Whether `actor` may use the processor called `name` in this mode."""
        own = self._declared.get(name)
        if own is not None:
            return _may(actor, own) and mode in own.modes
        dynamic = (p for source in self._sources for p in source.all(actor))
        return any(p.name == name and mode in p.modes for p in dynamic)

    def lends(self, actor: Actor, name: str, mode: Mode, *, owner_id: int | None) -> bool:
        """Whether rows of `actor` may be done with the rights of another, the owner's.

        Where the records themselves decide by row, they would ask the owner's rights only: then
        the rows must be the owner's own, or those of who manages all that is in projects.
        """
        if not self.allows(actor, name, mode):
            return False
        own = self._declared.get(name)
        by_row = own is not None and own.permission is None
        return not by_row or actor.user_id == owner_id or actor.may(Permission.PROJECTS_MANAGE_ALL)

    def _from_sources(
        self, ask: Callable[[ProcessorSource], Processor | None]
    ) -> Iterator[Processor]:
        return (found for source in self._sources if (found := ask(source)) is not None)


def _may(actor: Actor, processor: Processor) -> bool:
    return processor.permission is None or actor.may(processor.permission)
