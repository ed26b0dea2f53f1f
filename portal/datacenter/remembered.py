"""What is known of the columns of a file: from the batch that left it, or from a saved mapping."""

from collections.abc import Sequence

from portal.datacenter.folders import DataCenterFile
from portal.datacenter.latest import find_order
from portal.datacenter.names import find_pending
from portal.errors import InvalidError
from portal.rows.batch import BatchOrder
from portal.rows.looking import Known, Remembered
from portal.rows.mapping import saved_mappings
from portal.rows.processors import Mode
from portal.runtime import Runtime
from portal.tabular.markers import is_no_field
from portal.tabular.reading import preview

AS_BEFORE = "The columns are mapped as in the batch whose rows these are."


def known_mappings(runtime: Runtime, file: DataCenterFile) -> Known:
    """Rows that failed are treated as in their batch; for others, what was once saved counts."""
    saved = saved_mappings(runtime)
    if find_pending(file.name) is None:
        return saved
    with runtime.reads() as session:
        order = find_order(session, name=file.name)

    def known(header: Sequence[str], processor: str, mode: Mode) -> Remembered | None:
        of_batch = order is not None and (order.processor, order.mode) == (processor, mode)
        before = _as_before(order, header) if order and of_batch else None
        return before or saved(header, processor, mode)

    return known


def _as_before(order: BatchOrder, header: Sequence[str]) -> Remembered | None:
    """The columns by their names; None where they are others, or nobody knows what they were."""
    names = [name.strip() for name in header]
    try:
        named = [name.strip() for name in preview(order.file, order.format, rows=0).header]
    except (InvalidError, OSError):
        return None  # the copy is no longer kept
    before = dict(zip(named, order.columns, strict=False))
    if _fields(before) != _fields(names):
        return None
    columns = tuple(before.get(name) for name in names)
    return Remembered(columns=columns, treatment=order.treatment, words=AS_BEFORE)


def _fields(names: Sequence[str] | dict[str, str | None]) -> set[str]:
    return {name for name in names if not is_no_field(name)}
