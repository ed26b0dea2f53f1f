"""Which import wrote a row of a table."""

from dataclasses import dataclass

from portal.accounts.permissions import SYSTEM
from portal.db import open_sessions, reading
from portal.errors import NotFoundError
from portal.imports.fitting import table_processor
from portal.rows.processors import Acting, Processors, Record
from portal.rows.wrote import Writers, writers_of
from portal.runtime import Runtime
from portal.tables.keys import split
from portal.tables.shapes import TableShape
from portal.tabular.conversion import Conversion, RowErrors

NONE = "There is no such row in the table."


@dataclass(frozen=True, kw_only=True)
class History:
    """A row by its key, as a text for each of the key's columns, and who wrote it."""

    key: tuple[str, ...]
    writers: Writers


def history_of(runtime: Runtime, processors: Processors, *, shape: TableShape, key: str) -> History:
    """Who wrote the row with this key (see portal/tables/keys.py).

    The caller has checked that the table may be seen. Raises NotFoundError where there is no row.
    """
    processor = table_processor(processors, shape.name)
    acting = Acting(actor=SYSTEM, now=runtime.clock(), settings=runtime.settings)
    texts = _texts(shape, key)
    fields = [one for one in processor.fields if one.name in shape.key]
    try:
        values = Conversion(fields, shape.key, creating=False, identity=shape.key).convert(texts)
    except RowErrors as error:
        raise NotFoundError(NONE) from error
    with open_sessions(reading(runtime.tables))() as session:
        record: Record | None = processor.records.find(session, values, acting=acting)
    if record is None:
        raise NotFoundError(NONE)
    return History(key=tuple(texts), writers=writers_of(runtime, processor, record, acting=acting))


def _texts(shape: TableShape, key: str) -> list[str]:
    """The key's parts; raises NotFoundError where it is none of this table."""
    try:
        parts = [column[0] for column in split(shape.key, [key])]
    except (ValueError, TypeError, RecursionError):
        parts = []
    if len(parts) != len(shape.key) or not all(isinstance(part, str) for part in parts):
        raise NotFoundError(NONE)
    return [str(part) for part in parts]
