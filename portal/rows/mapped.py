"""What columns, rules and key together ask of a processor: whether that does, and how to read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from portal.errors import InvalidError
from portal.rows.processors import Mode, Processor
from portal.rows.treatment import PLAIN, Treatment
from portal.tabular.conversion import Conversion
from portal.tabular.fields import Empty, Field
from portal.tabular.headers import check
from portal.tabular.rules import faults_of_rules

Names = tuple[str, ...]
Columns = tuple[str | None, ...]


class Ordered(Protocol):
    """What becomes of a file's rows; an order of a batch says so, among other things."""

    @property
    def mode(self) -> Mode:
        """What is done with a record."""
        ...

    @property
    def columns(self) -> Columns:
        """The field of each column, None for one that is left out."""
        ...

    @property
    def treatment(self) -> Treatment:
        """How cells are treated."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Just that, while there is no order yet."""

    mode: Mode
    columns: Columns
    treatment: Treatment = PLAIN


def faults_of(processor: Processor, mode: Mode, columns: Sequence[str | None]) -> list[str]:
    """What is wrong with the columns of a file for this mode; nothing if they are enough."""
    ways = {Mode.CREATE: (True,), Mode.UPSERT: (True, False)}.get(mode, (False,))
    told = (
        fault
        for creating in ways
        for fault in check(columns, processor.fields, processor.identities, creating=creating)
    )
    return list(dict.fromkeys(told))


def faults_of_order(processor: Processor, order: Ordered, *, kind: str = "csv") -> list[str]:
    """What is wrong with columns, rules, key and values for all rows; nothing if all is fine.

    `kind` is that of the file: of a spreadsheet's numbers, some rules make no sense.
    """
    faults = list(_faults(processor, order, kind))
    if faults:
        return faults
    try:
        conversion_of(order, processor)
    except InvalidError as error:
        return [str(error)]
    return []


def identity_of(processor: Processor, order: Ordered) -> Names | None:
    """What names a record: as chosen, else the first identity whose fields the file gives.

    Raises InvalidError where what was chosen names none, or is not in the file.
    """
    chosen = order.treatment.identity
    given = {*order.columns, *order.treatment.constants}
    if not chosen:
        return next((names for names in processor.identities if given.issuperset(names)), None)
    if set(chosen) not in map(set, processor.identities):
        known = " or ".join(", ".join(names) for names in processor.identities)
        raise InvalidError(
            f"{processor.title}: {', '.join(chosen)} does not name one row. Choose {known}."
        )
    if lacking := [name for name in chosen if name not in given]:
        raise InvalidError(f"The file has no column for {', '.join(lacking)}, which names rows.")
    return chosen


def conversion_of(order: Ordered, processor: Processor) -> Conversion:
    """How the cells of a file become values; to remove a record only what names it is read."""
    identity = identity_of(processor, order) or ()
    columns, constants = order.columns, order.treatment.constants
    if order.mode is Mode.REMOVE:
        columns = tuple(name if name in identity else None for name in columns)
        constants = {name: text for name, text in constants.items() if name in identity}
    return _conversion(order, processor, columns, constants=constants, identity=identity)


def conversion_of_column(
    order: Ordered, processor: Processor, name: str, *, identity: Names = ()
) -> Conversion:
    """How the cells of the column for the field `name` become values: rows of one cell."""
    return _conversion(order, processor, (name,), constants={}, identity=identity)


def fault_of_constant(order: Ordered, processor: Processor, name: str, text: str) -> str:
    """Why `text` cannot be the value of a field for all rows; empty if it can."""
    try:
        _conversion(order, processor, (), constants={name: text}, identity=())
    except InvalidError as error:
        return str(error)
    return ""


def _conversion(
    order: Ordered,
    processor: Processor,
    columns: Columns,
    *,
    constants: Mapping[str, str],
    identity: Names,
) -> Conversion:
    creating = order.mode is Mode.CREATE
    named = {*columns, *constants}
    return Conversion(
        [_as_ordered(field, order) for field in processor.fields if field.name in named],
        columns,
        creating=creating,
        identity=() if creating else _always_given(processor, order.mode, identity),
        rules=order.treatment.rules,
        constants=constants,
    )


def _as_ordered(field: Field, order: Ordered) -> Field:
    """The field with what an empty cell means; a new record gets a default by saying nothing."""
    empty = order.treatment.empty.get(field.name, field.empty)
    if empty is Empty.DEFAULT and order.mode is Mode.CREATE:
        empty = Empty.KEEP
    return field if empty is field.empty else replace(field, empty=empty)


def _always_given(processor: Processor, mode: Mode, identity: Names) -> Names:
    """What no row may leave empty; without what the database makes up, a record is a new one."""
    if mode is not Mode.UPSERT:
        return identity
    return tuple(name for name in identity if processor.field(name).required)


def _faults(processor: Processor, order: Ordered, kind: str) -> Iterator[str]:
    treatment = order.treatment
    yield from faults_of(processor, order.mode, (*order.columns, *treatment.constants))
    yield from faults_of_rules(treatment.rules, processor.fields, kind=kind)
    known = {field.name for field in processor.fields}
    for name in {*treatment.constants, *treatment.empty, *order.columns} - known - {None}:
        yield f"{processor.title} has no field '{name}'."
