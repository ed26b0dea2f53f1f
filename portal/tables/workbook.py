"""A table written as a workbook, whose sheets hold a million rows each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.tables.files import Rows
from portal.tabular.canonical import text_of
from portal.tabular.fields import Field, FieldType, Value

SHEET_ROWS = 1_048_575  # below the header, of Excel's 2 to the power of 20
CELL = 32_767  # characters that a cell of Excel holds
_DIGITS = 15  # Excel's numbers are doubles
_LARGEST = 999_999_999_999_999
_OLDEST = date(1900, 3, 1)  # before that, Excel's calendar has a day that never was
_NUMBER_FORMATS = {FieldType.DATE: "yyyy-mm-dd", FieldType.DATETIME: "yyyy-mm-dd hh:mm:ss"}
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
}


def write_workbook(
    target: Path, fields: Sequence[Field], rows: Rows, told: Callable[[int], None]
) -> int:
    """Write `rows` and return how many; text is text, `told` hears how many so far."""
    done = 0
    each = (row for some in rows for row in some)
    options = _OPTIONS | {"tmpdir": str(target.parent)}
    with xlsxwriter.Workbook(str(target), options) as workbook:
        bold = workbook.add_format({"bold": True, "bottom": 1})
        formats = _formats(workbook, fields)
        while done == 0 or done % SHEET_ROWS == 0:
            part = islice(each, SHEET_ROWS)
            first = next(part, None)
            if first is None and done:
                break
            sheet = workbook.add_worksheet(f"Rows {done + 1}" if done else "Rows")
            sheet.freeze_panes(1, 0)
            for column, field in enumerate(fields):
                sheet.set_column(column, column, min(max(len(field.name) + 3, 12), 40))
                sheet.write_string(0, column, field.name[:CELL], bold)
            if first is None:
                break
            done = _write_sheet(sheet, formats, _chained(first, part), done, told)
    return done


def _chained(first: Sequence[Value], rest: Iterator[Sequence[Value]]) -> Iterator[Sequence[Value]]:
    yield first
    yield from rest


def _write_sheet(
    sheet: Worksheet,
    formats: Sequence[Any],
    rows: Iterator[Sequence[Value]],
    done: int,
    told: Callable[[int], None],
) -> int:
    for place, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if value is not None:
                _write_cell(sheet, place, column, value, formats[column])
        done += 1
        if done % 1000 == 0:
            told(done)
    told(done)
    return done


def _write_cell(sheet: Worksheet, row: int, column: int, value: Value, shape: Any) -> None:
    """A number or a date where Excel keeps it exactly, else text."""
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | Decimal) and _is_short(value):
        sheet.write_number(row, column, float(value) if isinstance(value, Decimal) else value)
    elif isinstance(value, date) and _is_shown(value):
        moment = value if isinstance(value, datetime) else datetime.combine(value, _MIDNIGHT)
        sheet.write_datetime(row, column, moment, shape)
    else:
        sheet.write_string(row, column, text_of(value)[:CELL])


_MIDNIGHT = datetime.min.time()


def _is_short(value: int | Decimal) -> bool:
    if isinstance(value, int):
        return abs(value) <= _LARGEST
    return bool(value.is_finite()) and len(value.as_tuple().digits) <= _DIGITS


def _is_shown(value: date) -> bool:
    """Excel knows whole milliseconds, and no zones."""
    if isinstance(value, datetime):
        whole = value.tzinfo is None and value.microsecond % 1000 == 0
        return bool(whole and value.date() >= _OLDEST)
    return bool(value >= _OLDEST)


def _formats(workbook: Workbook, fields: Sequence[Field]) -> list[Any]:
    """The cell formats of the columns, one for each kind."""
    known = {
        kind: workbook.add_format({"num_format": code}) for kind, code in _NUMBER_FORMATS.items()
    }
    return [known.get(field.type) for field in fields]
