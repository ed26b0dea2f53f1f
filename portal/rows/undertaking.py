"""What a run of a batch is about: processor, mode, and by which fields records are found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from portal.accounts.permissions import Actor
from portal.errors import ForbiddenError, InvalidError
from portal.rows.batch import Batch, BatchOrder
from portal.rows.processors import Acting, KeepRemoved, ManyRecords, Mode, Processor
from portal.tabular.conversion import Conversion
from portal.tabular.fields import Values
from portal.tabular.headers import check

Names = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Undertaking:
    """A batch and what its rows are done with. `acting()` is who acts, at this moment."""

    batch: Batch
    processor: Processor
    acting: Callable[[], Acting]
    identity: Names | None
    keep_removed: KeepRemoved | None = None

    @property
    def mode(self) -> Mode:
        """What the batch does with its rows."""
        return self.batch.order.mode

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be written but the ledger."""
        return self.batch.order.dry_run

    @cached_property
    def many(self) -> ManyRecords | None:
        """The processor's functions for many records at a time, where it has them."""
        records = self.processor.records
        return records if isinstance(records, ManyRecords) else None

    @cached_property
    def names(self) -> Names:
        """The fields of a record."""
        return tuple(field.name for field in self.processor.fields)

    def unsaid(self, values: Values) -> list[str]:
        """The fields of a record that a row of `values` says nothing of."""
        return [name for name in self.names if name not in values]

    @cached_property
    def conversion(self) -> Conversion:
        """How cells become values."""
        return conversion_of(self.batch.order, self.processor)

    def named_by(self, values: Values) -> tuple[object, ...] | None:
        """What names a row's record; None where a field of its identity is not given."""
        if self.identity is None:
            return None
        named = tuple(values.get(name) for name in self.identity)
        return None if None in named else named

    def naming(self, values: Values) -> Values:
        """Those of a record's `values` that name it."""
        names = self.identity or self.processor.identities[0]
        return {name: values.get(name) for name in names}


def undertake(
    batch: Batch,
    processor: Processor,
    *,
    acting: Callable[[], Acting],
    keep_removed: KeepRemoved | None = None,
) -> Undertaking:
    """A run of `batch`; raises ForbiddenError or InvalidError where it may not or cannot be."""
    check_right(acting().actor, processor)
    order = batch.order
    if order.mode not in processor.modes:
        raise InvalidError(f"{processor.title} cannot be processed in mode {order.mode}.")
    creating = order.mode is Mode.CREATE
    faults = check(order.columns, processor.fields, processor.identities, creating=creating)
    if faults:
        raise InvalidError(" ".join(faults))
    identity = identity_of(processor, order.columns)
    return Undertaking(
        batch=batch,
        processor=processor,
        acting=acting,
        identity=identity,
        keep_removed=keep_removed,
    )


def conversion_of(order: BatchOrder, processor: Processor) -> Conversion:
    """How the cells of a file become values; to remove a record only what names it is read."""
    creating = order.mode is Mode.CREATE
    identity = identity_of(processor, order.columns) or ()
    columns = order.columns
    if order.mode is Mode.REMOVE:
        columns = tuple(name if name in identity else None for name in columns)
    return Conversion(
        processor.fields, columns, creating=creating, identity=() if creating else identity
    )


def check_right(actor: Actor, processor: Processor) -> None:
    """Raise ForbiddenError where `actor` lacks what the processor itself needs."""
    if processor.permission is not None and not actor.may(processor.permission):
        raise ForbiddenError(f"You may not process {processor.title}.")


def identity_of(processor: Processor, columns: Sequence[str | None]) -> Names | None:
    """The first of the processor's identities whose fields are all among `columns`."""
    mapped = set(columns)
    return next((names for names in processor.identities if mapped.issuperset(names)), None)
