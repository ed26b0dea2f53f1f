"""A table written as a file: CSV, or a workbook whose sheets hold a million rows each.

Workbooks are written by `tables.workbook`, Parquet in a room of its own, `tables.parquet`, for it
must see all values first.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from portal.later import later
from portal.tabular.canonical import text_of
from portal.tabular.fields import Field, Value
from portal.tabular.formats import Format
from portal.tabular.writing import TableWriter

if TYPE_CHECKING:
    from portal.tables.workbook import write_workbook
else:
    write_workbook = later("portal.tables.workbook:write_workbook")

Rows = Iterator[Sequence[Sequence[Value]]]  # some rows at a time


class FileFormat(StrEnum):
    """What a table can be exported as."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


MEDIA_TYPES = {
    FileFormat.CSV: "text/csv",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
}


def write_file(
    target: Path,
    file_format: FileFormat,
    *,
    fields: Sequence[Field],
    rows: Rows,
    told: Callable[[int], None],
) -> int:
    """Write `rows` as CSV or a workbook; returns how many. `told` hears how many so far.

    In CSV, what a spreadsheet would compute is marked (tabular.formulas) and comes back as it was;
    in a workbook, text is text.
    """
    write = _write_csv if file_format is FileFormat.CSV else write_workbook
    return write(target, fields, rows, told)


def _write_csv(
    target: Path, fields: Sequence[Field], rows: Rows, told: Callable[[int], None]
) -> int:
    done = 0
    with target.open("wb") as stream:
        writer = TableWriter(stream, Format(encoding="utf-8-sig"), for_spreadsheets=True)
        writer.write([field.name for field in fields])
        for some in rows:
            columns = (list(map(text_of, column)) for column in zip(*some, strict=True))
            writer.write_many(zip(*columns, strict=True))
            done += len(some)
            told(done)
    return done
