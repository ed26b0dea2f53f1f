"""A table written as a Parquet file: looked through once, then written in groups of rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import write_parquet as write_stream

from portal.tables.files import Rows
from portal.tables.layout import Layout
from portal.tables.parquet.arrays import Packing
from portal.tables.parquet.kinds import ParquetColumn, Watch, columns_of

GROUP_ROWS = 100_000
GROUP_BYTES = 32_000_000
LOOKING = "Looking at the values"
WRITING = "Rows"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What looking through a table told: its columns, and how many rows fit into memory."""

    columns: tuple[ParquetColumn, ...]
    group: int


def write_parquet(
    target: Path,
    layout: Layout,
    *,
    read: Callable[[], Rows],
    zone: tzinfo,
    told: Callable[[str, int], None],
) -> int:
    """Write all rows that `read()` gives, the same ones twice, and return how many there were.

    `told` hears the stage, and how many rows so far. What it raises ends the writing.
    """
    seen = look_through(layout, read(), told=lambda done: told(LOOKING, done))
    written = _Written(read(), Packing(seen.columns, zone=zone), lambda done: told(WRITING, done))
    reader = RecordBatchReader.from_batches(written.packing.schema, written.batches())
    try:
        write_stream(reader, target, compression="snappy", max_row_group_size=seen.group)
    except Exception:
        if written.cut_short is not None:
            raise written.cut_short from None
        raise
    return written.done


def look_through(layout: Layout, rows: Rows, *, told: Callable[[int], None]) -> Seen:
    """Go through all rows for what their columns are in Parquet."""
    watches = [Watch(column) for column in columns_of(layout)]
    done, most, largest = 0, 1, 1
    for some in rows:
        columns = zip(*some, strict=True)
        size = sum(watch.add(values) for watch, values in zip(watches, columns, strict=True))
        done += len(some)
        most, largest = max(most, len(some)), max(largest, size)
        told(done)
    group = most * max(1, GROUP_BYTES // largest)
    return Seen(columns=tuple(watch.column() for watch in watches), group=min(group, GROUP_ROWS))


class _Written:
    """Batches on their way into a file. The writer hides why they ended; `cut_short` tells."""

    def __init__(self, rows: Rows, packing: Packing, told: Callable[[int], None]) -> None:
        self.packing = packing
        self.done = 0
        self.cut_short: BaseException | None = None
        self._rows = rows
        self._told = told

    def batches(self) -> Iterator[RecordBatch]:
        try:
            for some in self._rows:
                yield self.packing.batch(some)
                self.done += len(some)
                self._told(self.done)
        except BaseException as error:
            self.cut_short = error
            raise
