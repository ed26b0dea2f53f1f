"""Removed records made again: the order to process a backup, by whoever removed them."""

from portal.datacenter.backups import batch_of_backup
from portal.datacenter.folders import DataCenter
from portal.datacenter.mapping import Wording, order_of
from portal.datacenter.orders import REASONS, Asking, ProcessOrder
from portal.datacenter.picking import pick_file, pick_processor
from portal.errors import InvalidError
from portal.rows.processors import Mode
from portal.runtime import Runtime


class UnknownOriginError(InvalidError):
    """Nobody knows any more which batch removed the records of a backup."""


def order_to_restore(
    runtime: Runtime, *, center: DataCenter, asking: Asking, file: str, processor: str = ""
) -> ProcessOrder:
    """The order that makes the records of the backup `file` again, with the processor it is of.

    Raises UnknownOriginError where that is not known and none is given, NotFoundError,
    ForbiddenError, and InvalidError where the file cannot be that.
    """
    picked = pick_file(center, file, folders=REASONS)
    with runtime.reads() as session:
        batch = batch_of_backup(session, picked.file.name)
    name = processor or (batch.order.processor if batch else "")
    if not name:
        raise UnknownOriginError(f"Nobody knows who removed the records of {picked.file.shown}.")
    wording = Wording(processor=pick_processor(asking, name), mode=Mode.CREATE)
    return order_of(picked, wording)
