"""The order to process a file as somebody words it."""

from dataclasses import dataclass

from portal.datacenter.names import find_pending
from portal.datacenter.orders import ProcessOrder
from portal.datacenter.picking import Picked
from portal.datacenter.steps import Folder
from portal.errors import ConflictError, InvalidError
from portal.rows.looking import Known
from portal.rows.mapping import Worded, look_as_worded


@dataclass(frozen=True, kw_only=True)
class Wording(Worded):
    """What is to be done with a file of the data centre. `reason` is why records are removed."""

    reason: Folder = Folder.DELETED
    dry_run: bool = False


def order_of(
    picked: Picked, wording: Wording, *, known: Known = lambda _header, _processor, _mode: None
) -> ProcessOrder:
    """The order for a file; raises InvalidError or ConflictError where it cannot be that."""
    file, pending = picked.file, find_pending(picked.file.name)
    seen = look_as_worded(
        file.path,
        name=file.name,
        worded=wording,
        known=known,
        mode=pending.mode if pending else "",
    )
    if seen.mode is not wording.mode:
        raise ConflictError(
            f"{file.shown} holds rows that failed in mode {seen.mode}; process it in that mode."
        )
    if seen.faults:
        raise InvalidError(" ".join(seen.faults))
    return ProcessOrder(
        name=file.name,
        folder=picked.folder,
        processor=wording.processor.name,
        mode=wording.mode,
        format=seen.format,
        columns=seen.mapping,
        treatment=seen.treatment,
        reason=wording.reason,
        dry_run=wording.dry_run,
    )
