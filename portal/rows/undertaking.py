"""What a run of a batch is about: processor, mode, and by which fields records are found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from portal.accounts.permissions import Actor
from portal.errors import ForbiddenError, InvalidError
from portal.rows.batch import Batch
from portal.rows.mapped import Names, conversion_of, faults_of, identity_of
from portal.rows.processors import (
    Acting,
    KeepRemoved,
    ManyRecords,
    Mode,
    Processor,
    RefusedRowError,
    Store,
)
from portal.tabular.conversion import Conversion
from portal.tabular.fields import Values


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

    @cached_property
    def needed(self) -> Names:
        """What a row must say so that its record can be made, where that was not seen before."""
        if self.mode is not Mode.UPSERT:
            return ()
        fields = self.processor.fields
        return tuple(field.name for field in fields if field.required and field.default is None)

    @property
    def looks(self) -> bool:
        """Whether records are looked for before rows are done.

        Who wants the database's own words of what is there already lets it refuse a second one.
        """
        order = self.batch.order
        asks = order.original and self.mode is Mode.CREATE and self.processor.unique
        return self.dry_run or not asks

    def asking(self, values: Values) -> Values:
        """Those of a row's `values` by which its record is to be found."""
        chosen = self.batch.order.treatment.identity
        return {name: values[name] for name in chosen if name in values} if chosen else values

    def told(self, refusal: RefusedRowError) -> str:
        """A refusal in the words that were asked for."""
        return (refusal.original if self.batch.order.original else "") or str(refusal)

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
    columns = (*order.columns, *order.treatment.constants)
    if faults := faults_of(processor, order.mode, columns):
        raise InvalidError(" ".join(faults))
    if order.whole and processor.store is not Store.TABLES:
        raise InvalidError(f"{processor.title} cannot be processed all or nothing.")
    return Undertaking(
        batch=batch,
        processor=processor,
        acting=acting,
        identity=identity_of(processor, order),
        keep_removed=keep_removed,
    )


def check_right(actor: Actor, processor: Processor) -> None:
    """Raise ForbiddenError where `actor` lacks what the processor itself needs."""
    if processor.permission is not None and not actor.may(processor.permission):
        raise ForbiddenError(f"You may not process {processor.title}.")
