"""The order to process a file as somebody words it: choices, and fields for columns by header."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from portal.datacenter.looking import Known, Look, Wish, look
from portal.datacenter.orders import ProcessOrder
from portal.datacenter.picking import Picked
from portal.datacenter.steps import Folder
from portal.errors import ConflictError, InvalidError
from portal.rows.processors import Mode, Processor
from portal.rows.profiles import find_profile
from portal.runtime import Runtime
from portal.tabular.formats import DELIMITER_NAMES


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What is to be done with a file. `fields` gives the field, "" for none, by column header.

    What is left open in `reading` is found; columns that `fields` does not name are mapped as the
    file's page proposes.
    """

    processor: Processor
    mode: Mode
    reading: Wish = field(default_factory=Wish)
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: Folder = Folder.DELETED
    dry_run: bool = False


def order_of(
    picked: Picked, wording: Wording, *, known: Known = lambda _header, _processor, _mode: None
) -> ProcessOrder:
    """The order for a file; raises InvalidError or ConflictError where it cannot be that."""
    processor, mode = wording.processor, wording.mode
    wish = replace(wording.reading, processor=processor.name, mode=str(mode))
    seen = _looked(picked, wish, processor, known)
    if wording.fields:
        columns = _columns(seen, wording.fields, processor)
        seen = _looked(picked, replace(wish, columns=columns), processor, known)
    _check_mode(seen, processor, mode)
    if seen.faults:
        raise InvalidError(" ".join(seen.faults))
    return ProcessOrder(
        name=picked.file.name,
        folder=picked.folder,
        processor=processor.name,
        mode=mode,
        format=seen.format,
        columns=seen.mapping,
        reason=wording.reason,
        dry_run=wording.dry_run,
    )


def reading_of(
    *, encoding: str = "", delimiter: str = "", quote: str = "", sheet: str = ""
) -> Wish:
    """How a file shall be read; a delimiter is named, or given as the sign that it is."""
    sign = "\t" if delimiter == "\\t" else delimiter
    return Wish(
        encoding=encoding,
        delimiter=DELIMITER_NAMES.get(sign, delimiter),
        quote=quote,
        sheet=sheet,
    )


def saved_mappings(runtime: Runtime) -> Known:
    """What was once saved for files with the same header."""

    def known(header: Sequence[str], processor: str, mode: Mode) -> Sequence[str | None] | None:
        with runtime.reads() as session:
            profile = find_profile(session, header=header, processor=processor, mode=mode)
        return None if profile is None else profile.columns

    return known


def _looked(picked: Picked, wish: Wish, processor: Processor, known: Known) -> Look:
    seen = look(picked.file, wish=wish, processors=[processor], known=known)
    if seen.preview.fault is not None:
        raise InvalidError(str(seen.preview.fault))
    return seen


def _columns(seen: Look, fields: Mapping[str, str], processor: Processor) -> dict[int, str]:
    header = [name.strip() for name in seen.preview.header]
    unknown = [name for name in fields if name.strip() not in header]
    if unknown:
        raise InvalidError(f"The file has no column {_listed(unknown)}; it has {_listed(header)}.")
    names = [one.name for one in processor.fields]
    missing = [name for name in fields.values() if name and name not in names]
    if missing:
        raise InvalidError(
            f"{processor.title} has no field {_listed(missing)}; it has {_listed(names)}."
        )
    return {header.index(column.strip()): name for column, name in fields.items()}


def _check_mode(seen: Look, processor: Processor, mode: Mode) -> None:
    if seen.mode is mode:
        return
    if mode not in processor.modes:
        allowed = " or ".join(processor.modes)
        raise InvalidError(f"{processor.title} can only be processed in mode {allowed}.")
    raise ConflictError(
        f"{seen.file.shown} holds rows that failed in mode {seen.mode}; process it in that mode."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
