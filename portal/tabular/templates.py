"""Empty files to be filled in: the fields of a list as a CSV or TSV header, or as a workbook."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.tabular.fields import Field, FieldType
from portal.tabular.formulas import mark_row
from portal.tabular.help_rows import describe, help_row
from portal.tabular.template_words import NUMBER_FORMATS, TEXT_FORMAT, note, title_of_type

SHEET = "Rows"
CHOICES_SHEET = "Choices"
REFERENCES_AT_MOST = 10_000
_LAST_ROW = 1_048_575
_INLINE_AT_MOST = 255
_NARROWEST, _WIDEST = 14, 40
_CELL_AT_MOST = 32_767
_MADE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_HEADER = {"bold": True, "bottom": 1, "bg_color": "#E8EDF3"}
_HELP = {"italic": True, "font_color": "#5B6673", "num_format": TEXT_FORMAT}
_REQUIRED = _HEADER | {"bg_color": "#F6E3B4"}


def csv_template(fields: Sequence[Field], *, described: bool = False) -> bytes:
    """Return a CSV file of the fields' names, with a help row below if `described`.

    It is UTF-8 with a byte order mark, without which Excel takes letters like é for others.
    """
    return _text(fields, described=described, delimiter=",")


def tsv_template(fields: Sequence[Field], *, described: bool = False) -> bytes:
    """Return the same as `csv_template`, with tabs between the columns."""
    return _text(fields, described=described, delimiter="\t")


def xlsx_template(
    fields: Sequence[Field],
    *,
    described: bool = False,
    references: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> bytes:
    """Return a workbook of a frozen header with notes, and columns formatted for their fields.

    Columns of text keep leading zeros. Choices, truths and `references` (the names of records by
    field; more than some thousands are left out) have drop-downs, which warn of other values and
    let them pass, since markers such as `<IGNORE>` are meant; lists too long to stand in a cell's
    rule stand on a hidden sheet. With `described` a help row stands below the header. The same
    fields give the same bytes.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, _OPTIONS) as workbook:
        workbook.set_properties({"created": _MADE})
        sheet = workbook.add_worksheet(SHEET)
        first = 2 if described else 1
        sheet.freeze_panes(first, 0)
        choices = _ChoicesSheet(workbook)
        formats = _Formats(workbook)
        for column, field in enumerate(fields):
            _add_column(sheet, column, field, formats)
            if described:
                sheet.write_string(1, column, describe(field)[:_CELL_AT_MOST], formats.help)
            _add_rule(sheet, (first, column), field, _list_of(field, references), choices)
    return target.getvalue()


def _text(fields: Sequence[Field], *, described: bool, delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(mark_row([field.name for field in fields]))
    if described:
        writer.writerow(mark_row(help_row(fields)))
    return text.getvalue().encode("utf-8-sig")


def _add_column(sheet: Worksheet, column: int, field: Field, formats: "_Formats") -> None:
    width = min(max(len(field.name) + 3, _NARROWEST), _WIDEST)
    sheet.set_column(column, column, width, formats.of(field))
    sheet.write_string(
        0, column, field.name, formats.required if field.required else formats.header
    )
    sheet.write_comment(0, column, note(field)[:_CELL_AT_MOST], {"x_scale": 2, "y_scale": 1.5})


def _add_rule(
    sheet: Worksheet,
    at: tuple[int, int],
    field: Field,
    values: Sequence[str],
    choices: "_ChoicesSheet",
) -> None:
    """Add the rule for the cells from row and column `at` down."""
    row, column = at
    rule = _list_rule(_source(field, values, choices)) if values else _bounds_rule(field)
    if rule:
        warning = {"error_type": "warning", "error_title": field.name[:32]}
        sheet.data_validation(row, column, _LAST_ROW, column, warning | rule)


def _list_of(field: Field, references: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return what drops down in the field's column; nothing where that is not known."""
    if field.type is FieldType.BOOLEAN:
        return ["true", "false"]
    if field.type is FieldType.CHOICE:
        return [choice.value for choice in field.choices]
    known = references.get(field.name, ()) if field.type is FieldType.REFERENCE else ()
    return known if len(known) <= REFERENCES_AT_MOST else ()


def _source(field: Field, values: Sequence[str], choices: "_ChoicesSheet") -> list[str] | str:
    """Return the values themselves, or where they stand if a cell's rule cannot hold them."""
    fits = len(",".join(values)) <= _INLINE_AT_MOST
    plain = not any("," in value or value != value.strip() or not value for value in values)
    return list(values) if fits and plain else choices.add(field.name, values)


def _list_rule(source: list[str] | str) -> dict[str, object]:
    return {"validate": "list", "source": source, "error_message": "This is not one of the list."}


def _bounds_rule(field: Field) -> dict[str, object]:
    """Return the rule for a number with both bounds, or a text of limited length."""
    told = {"error_message": f"Expected: {title_of_type(field)}."[:255]}
    numeric = field.type in (FieldType.INTEGER, FieldType.DECIMAL)
    if numeric and field.minimum is not None and field.maximum is not None:
        between = {"criteria": "between", "minimum": field.minimum, "maximum": field.maximum}
        return told | {"validate": str(field.type)} | between
    if field.type is FieldType.TEXT and field.max_length:
        return told | {"validate": "length", "criteria": "<=", "value": field.max_length}
    return {}


class _Formats:
    """The cell formats of one workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self.header: Format = workbook.add_format(_HEADER)
        self.required: Format = workbook.add_format(_REQUIRED)
        self.help: Format = workbook.add_format(_HELP)
        self._workbook = workbook
        self._by_code: dict[str, Format] = {}

    def of(self, field: Field) -> Format:
        """Return the format of the field's column."""
        code = NUMBER_FORMATS.get(field.type, TEXT_FORMAT)
        if code not in self._by_code:
            self._by_code[code] = self._workbook.add_format({"num_format": code})
        return self._by_code[code]


class _ChoicesSheet:
    """The hidden sheet of long lists, made when the first is added."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._sheet: Worksheet | None = None
        self._columns = 0

    def add(self, name: str, values: Sequence[str]) -> str:
        """Write a list below its name; return the formula that names its cells."""
        if self._sheet is None:
            self._sheet = self._workbook.add_worksheet(CHOICES_SHEET)
            self._sheet.hide()
        for row, text in enumerate([name, *values]):
            self._sheet.write_string(row, self._columns, text)
        cells = xl_range_abs(1, self._columns, len(values), self._columns)
        self._columns += 1
        return f"={CHOICES_SHEET}!{cells}"
