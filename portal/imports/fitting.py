"""Whether a file fits its table: the table, the format, the header, in the order of the original.

The order and the texts are rex.tabular_import's (research/originals.md, part 2, 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from portal.errors import InvalidError, NotFoundError
from portal.imports.orders import ImportOrder
from portal.imports.words import ENDINGS, processor_of
from portal.rows.looking import chosen_format
from portal.rows.mapped import Mapped, faults_of_order
from portal.rows.mapping import reading_of
from portal.rows.processors import Mode, Processor, Processors
from portal.rows.profiles import Profile
from portal.rows.treatment import Treatment
from portal.tables.shapes import Made, TableShape
from portal.tabular.formats import Format, find_format
from portal.tabular.headers import fault_of_import
from portal.tabular.markers import is_no_field
from portal.tabular.reading import preview

OTHER_MAPPING = "The mapping {name!r} is for another table or mode."
Columns = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """How a file is read into its table."""

    format: Format
    columns: Columns
    treatment: Treatment


def table_processor(processors: Processors, table: str) -> Processor:
    """What makes rows of `table`; raises NotFoundError where there is no such table."""
    try:
        return processors.get(processor_of(table))
    except NotFoundError:
        raise missing_table(table) from None


def missing_table(table: str) -> NotFoundError:
    """What is said of a table that is not there, or that the actor may not know."""
    return NotFoundError(f"Table does not exist: {table}")


def check_ending(name: str) -> None:
    """Raise InvalidError for a file that is none of a format that is imported."""
    ending = PurePath(name).suffix
    if ending.lower() not in ENDINGS:
        raise InvalidError(f"Unsupported file format: {ending.removeprefix('.').upper()}")


def fit(
    path: Path,
    order: ImportOrder,
    *,
    processor: Processor,
    shape: TableShape,
    profile: Profile | None = None,
) -> Fitted:
    """How the file at `path` is read; raises InvalidError where it does not fit the table."""
    fmt = order.format or _found(path, order)
    seen = preview(path, fmt, rows=0)
    if seen.fault is not None and not seen.header:
        raise seen.fault
    header = [name.strip() for name in seen.header]
    treatment = _treatment(order, profile)
    mode = order.mode.rows_mode
    chosen = order.columns if profile is None else _columns_of(profile, header, processor, mode)
    if chosen is None:
        chosen = _by_name(header, order.fields, processor)
        _check_header(header, chosen, order, treatment, processor, shape)
    if len(chosen) != len(header):
        raise InvalidError("The file has another header than the one that was looked at.")
    if seen.fault is not None:
        raise seen.fault
    mapped = Mapped(mode=mode, columns=tuple(chosen), treatment=treatment)
    if faults := faults_of_order(processor, mapped, kind=fmt.kind):
        raise InvalidError(" ".join(faults))
    return Fitted(format=fmt, columns=mapped.columns, treatment=treatment)


def _found(path: Path, order: ImportOrder) -> Format:
    found = find_format(path, name=order.file_name).format
    return chosen_format(found, reading_of(**order.reading)) if order.reading else found


def _treatment(order: ImportOrder, profile: Profile | None) -> Treatment:
    """What the saved mapping says, with what was said besides over it."""
    own = order.treatment
    if profile is None:
        return own
    saved = profile.treatment
    return replace(
        saved,
        rules={**saved.rules, **own.rules},
        constants={**saved.constants, **own.constants},
        empty={**saved.empty, **own.empty},
        identity=own.identity or saved.identity,
    )


def _columns_of(
    profile: Profile, header: Sequence[str], processor: Processor, mode: Mode
) -> Columns:
    if (profile.processor, profile.mode) != (processor.name, mode):
        raise InvalidError(OTHER_MAPPING.format(name=profile.name))
    if not profile.is_for(header):
        raise InvalidError(f"The mapping {profile.name!r} is for files with another header.")
    return profile.columns


def _by_name(header: Sequence[str], fields: Mapping[str, str], processor: Processor) -> Columns:
    """The field of each column: as said, else that of its own name."""
    known = {one.name for one in processor.fields}
    if unknown := [name for name in fields if name.strip() not in header]:
        raise InvalidError(f"The file has no column {_listed(unknown)}; it has {_listed(header)}.")
    if missing := [name for name in fields.values() if name and name not in known]:
        raise InvalidError(f"{processor.title} has no column {_listed(missing)}.")
    said = {name.strip(): target for name, target in fields.items()}
    return tuple(
        (said[name] or None) if name in said else (name if name in known else None)
        for name in header
    )


def _check_header(
    header: Sequence[str],
    columns: Columns,
    order: ImportOrder,
    treatment: Treatment,
    processor: Processor,
    shape: TableShape,
) -> None:
    """All columns that the table does not fill by itself, and no others; in any order.

    Once somebody said which column is for what, only what is needed must be there.
    """
    said = {name.strip() for name in order.fields}
    pairs = list(zip(header, columns, strict=True))
    given = [field or name for name, field in pairs if name not in said or field]
    free = {*treatment.constants, *(column.name for column in shape.columns if _fills(column.made))}
    strict = order.mode.rows_mode is Mode.CREATE and not order.fields
    known = [one.name for one in processor.fields]
    needed = [name for name in known if strict and name not in free]
    names = {*needed, *(name for name in given if name in known)}
    if fault := fault_of_import([name for name in given if not is_no_field(name)], sorted(names)):
        raise InvalidError(fault)


def _fills(made: Made) -> bool:
    return made is not Made.BY_NOBODY


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
