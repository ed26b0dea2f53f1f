"""Workbooks of LibreOffice, Excel and others give the texts that people see in them."""

import csv
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from portal.tabular.formats import Format
from portal.tabular.reading import count, open_table, preview
from portal.tabular.spreadsheets import sheet_names
from portal.tabular.table import Row, TableError
from tests.tabular.workbook_making import (
    WORKBOOKS,
    cell,
    make_ods,
    make_xlsx,
    ods_cell,
    ods_row,
    text_row,
)

KINDS = ("xlsx", "xls", "ods")
HEADER = [
    "code",
    "name",
    "born",
    "seen",
    "from",
    "worked",
    "share",
    "pay",
    "active",
    "number",
    "ratio",
]


def read(path: Path, sheet: str = "") -> tuple[list[str], list[Row]]:
    with open_table(path, Format(kind=path.suffix[1:], sheet=sheet)) as table:
        return table.header, list(table.rows)


@cache
def staff(kind: str) -> list[Row]:
    return read(WORKBOOKS / f"staff.{kind}")[1]


@pytest.mark.parametrize("kind", KINDS)
def test_empty_rows_and_columns_around_the_table_are_not_read(kind: str) -> None:
    header, rows = read(WORKBOOKS / f"staff.{kind}")
    assert header == HEADER
    assert [(number, line) for number, line, _cells in rows] == [(n, n + 2) for n in range(1, 7)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_of_cell_becomes_its_plain_text(kind: str) -> None:
    assert staff(kind)[0][2] == [
        "00042",
        "Ada   Lovelace\nsecond line",
        "1815-12-10",
        "2024-02-29 10:00:01",
        "09:30:00",
        "26:30:00",
        "0.125",
        "1234.5",
        "TRUE",
        "42",
        "#DIV/0!",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_midnights_zeros_and_long_numbers_are_written_out(kind: str) -> None:
    cells = staff(kind)[1][2]
    assert cells[:9] == [
        "007",
        "=SUM(A1)",
        "2024-12-31",
        "2024-02-29",
        "00:00:00",
        "00:30:15",
        "1",
        "0.1",
        "FALSE",
    ]
    assert cells[9].startswith("12345678901234")
    assert len(cells[9]) == 19


@pytest.mark.parametrize("kind", KINDS)
def test_a_merged_cell_has_its_value_once_and_spaces_stay(kind: str) -> None:
    assert staff(kind)[2][2][:2] == ["", " spaces "]


@pytest.mark.parametrize("kind", KINDS)
def test_a_blank_row_between_others_is_there(kind: str) -> None:
    assert staff(kind)[3] == (4, 6, [])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_counted_with_the_blank_ones_between_them(kind: str) -> None:
    assert list(count(WORKBOOKS / f"staff.{kind}", Format(kind=kind)))[-1] == 6


def test_a_fault_below_is_met_when_rows_are_counted(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a") + "<row><c><v>x</v></c></row>")
    with pytest.raises(TableError, match="row 2, column 1"):
        list(count(path, Format(kind="xlsx")))


def test_a_doubled_header_is_met_when_rows_are_counted(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a", "a"))
    with pytest.raises(TableError, match="Line 1, column 2: Double headers"):
        list(count(path, Format(kind="xlsx")))


@pytest.mark.parametrize("kind", KINDS)
def test_computed_noise_is_not_shown_and_small_numbers_have_no_exponent(kind: str) -> None:
    rows = staff(kind)
    assert rows[2][2][-1] == "0.3"
    assert rows[4][2][-2] == "0.00001"


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_named(kind: str) -> None:
    shown = [row[2][-1] for row in staff(kind) if row[2]]
    assert shown[:2] == ["#DIV/0!", "#VALUE!"]
    assert shown[3] == "#N/A"
    assert shown[4] == ("Err:502" if kind == "ods" else "#VALUE!")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_row_a_formula_and_a_comment_give_the_values_alone(kind: str) -> None:
    assert staff(kind)[5][2][:2] == ["9", "ab"]
    assert staff(kind)[5][2][8] == "TRUE"


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_sheets_are_not_offered_but_can_be_named(kind: str) -> None:
    path = WORKBOOKS / f"staff.{kind}"
    assert sheet_names(path, kind) == ["Staff", "Empty", "Zweites & Blatt"]
    assert read(path, "Hidden") == (["secret"], [])
    assert read(path, "Zweites & Blatt") == (["id"], [(1, 2, ["1"])])


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_sheet_says_so(kind: str) -> None:
    with pytest.raises(TableError, match="The sheet is empty"):
        read(WORKBOOKS / f"staff.{kind}", "Empty")


def test_an_unknown_sheet_is_answered_with_those_there_are() -> None:
    with pytest.raises(TableError, match=r"no sheet 'Staf'.* It has: Staff, Empty, Zw"):
        read(WORKBOOKS / "staff.xlsx", "Staf")


def test_dates_of_a_workbook_that_counts_from_1904_are_right() -> None:
    header, rows = read(WORKBOOKS / "since-1904.xlsx")
    assert header[1] == "date"
    assert rows[0] == (
        *(1, 5),
        ["Chicago Reader", "1971-01-01", "40", "TRUE", "1", "1971-01-01 04:14:00", ""],
    )


def test_a_cell_beyond_the_header_makes_its_row_longer() -> None:
    _header, rows = read(WORKBOOKS / "extra-data.xls")
    assert rows[1][2] == [
        *("Chicago Sun-Times", "1948-01-01", "63", "TRUE", "1.27", "1948-01-01 14:57:13", ""),
        "Extra data beyond headers will be trimmed",
    ]


def test_errors_of_an_old_workbook_are_named() -> None:
    assert read(WORKBOOKS / "errors.xls")[1][0][2] == ["#DIV/0!", "#NAME?", "#N/A", "#N/A"]


def test_a_thousand_rows_of_excel_are_as_another_reader_has_them() -> None:
    header, rows = read(WORKBOOKS / "property.xlsx")
    workbook = CalamineWorkbook.from_path(WORKBOOKS / "property.xlsx")
    first, *others = workbook.get_sheet_by_index(0).to_python()
    assert header == first
    assert [row[2] for row in rows] == [[plain(value) for value in row] for row in others]
    assert len(rows) == 1036


def plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    return value.isoformat() if isinstance(value, date) else str(value)


def airports() -> list[list[str]]:
    with (WORKBOOKS / "airports.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_real_rows_written_as_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    rows = airports()
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"strings_to_numbers": True}) as workbook:
        sheet = workbook.add_worksheet()
        for line, cells in enumerate(rows):
            sheet.write_row(line, 0, cells)
    found = read(tmp_path / "a.xlsx")[1]
    for (_number, _line, cells), expected in zip(found, rows[1:], strict=True):
        assert [as_number(cell) for cell in cells] == [as_number(cell) for cell in expected]


def as_number(text: str) -> object:
    """15 digits of it, as spreadsheet programs show."""
    number = text.lstrip("-").replace(".", "", 1).isdecimal()
    return f"{float(text):.15g}" if number else text


def test_real_rows_written_as_texts_come_back_as_they_were(tmp_path: Path) -> None:
    rows = airports()
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    header, found = read(tmp_path / "a.xlsx")
    assert [header, *(row[2] for row in found)] == rows


def test_values_of_another_writer_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([datetime(2024, 1, 1, 10, 20, 30), date(1850, 1, 1)])
    book.active.append([timedelta(hours=30), time(1, 2, 3)])
    book.active.append(["#N/A", True])
    book.active.append([0.1 + 0.2, 2 / 3])
    book.save(tmp_path / "a.xlsx")
    assert [row[2] for row in read(tmp_path / "a.xlsx")[1]] == [
        ["2024-01-01 10:20:30", "1850-01-01"],
        ["30:00:00", "01:02:03"],
        ["#N/A", "TRUE"],
        ["0.3", "0.6666666666666666"],
    ]


def test_rich_and_escaped_text_is_whole(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_string(0, 0, "text")
        sheet.write_rich_string(1, 0, "a", workbook.add_format({"bold": True}), "b", "c")
        sheet.write_string(2, 0, "_x000D_ \a tab\tline\r\nnext ")
    assert [row[2] for row in read(tmp_path / "a.xlsx")[1]] == [
        ["abc"],
        ["_x000D_ \a tab\tline\r\nnext "],
    ]


def test_a_reading_aid_is_no_part_of_the_text(tmp_path: Path) -> None:
    texts = "<sst><si><t>東京</t><rPh><t>とうきょう</t></rPh></si></sst>"
    row = '<row><c t="s"><v>0</v></c></row>'
    assert read(make_xlsx(tmp_path / "a.xlsx", row, sharedStrings=texts))[0] == ["東京"]


def test_whole_numbers_keep_every_digit(tmp_path: Path) -> None:
    rows = text_row("n") + "<row><c><v>12345678901234567890123</v></c></row>"
    assert read(make_xlsx(tmp_path / "a.xlsx", rows))[1] == [(1, 2, ["12345678901234567890123"])]


def test_elements_with_a_prefix_are_read(tmp_path: Path) -> None:
    xml = (
        '<x:worksheet xmlns:x="m"><x:sheetData><x:row><x:c t="str"><x:v>h</x:v></x:c></x:row>'
        '<x:row><x:c t="e"><x:v>#REF!</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    assert read(make_xlsx(tmp_path / "a.xlsx", sheet=xml)) == (["h"], [(1, 2, ["#REF!"])])


def test_columns_are_found_by_their_references(tmp_path: Path) -> None:
    rows = f"<row>{cell('a', 'A1')}{cell('c', 'C1')}</row><row r='9'>{cell('z', 'C9')}</row>"
    header, found = read(make_xlsx(tmp_path / "a.xlsx", rows))
    assert header == ["a", "", "c"]
    assert found[-1] == (8, 9, ["", "", "z"])
    assert [row[2] for row in found[:-1]] == [[]] * 7


def test_a_cell_left_of_the_header_is_refused_with_its_place(tmp_path: Path) -> None:
    rows = f"<row>{cell('a', 'B1')}</row><row>{cell('lost', 'A2')}{cell('b', 'B2')}</row>"
    with pytest.raises(TableError, match=r"Line 2, column 1: .*left of the header"):
        read(make_xlsx(tmp_path / "a.xlsx", rows))


def test_a_doubled_header_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="Line 1, column 2: Double headers"):
        read(make_xlsx(tmp_path / "a.xlsx", text_row("a", "a")))


def test_a_preview_shows_the_first_rows_of_a_sheet() -> None:
    shown = preview(WORKBOOKS / "staff.ods", Format(kind="ods"), rows=2)
    assert list(shown.header) == HEADER
    assert [line for _number, line, _cells in shown.rows] == [3, 4]
    assert not shown.whole
    assert shown.fault is None


def test_a_row_of_spaces_above_the_header_is_no_header(tmp_path: Path) -> None:
    rows = text_row(" ", "  ") + text_row("a") + text_row("1")
    assert read(make_xlsx(tmp_path / "a.xlsx", rows)) == (["a"], [(1, 3, ["1"])])


def test_rows_and_cells_that_repeat_are_written_out(tmp_path: Path) -> None:
    wide = ods_cell("x", 'office:value-type="string" table:number-columns-repeated="2"')
    twice = f'<table:table-row table:number-rows-repeated="2">{wide}</table:table-row>'
    path = make_ods(tmp_path / "a.ods", ods_row(ods_cell("a"), ods_cell("b")) + twice)
    assert read(path)[1] == [(1, 2, ["x", "x"]), (2, 3, ["x", "x"])]


def test_an_error_saved_as_number_is_named(tmp_path: Path) -> None:
    error = ods_cell("#DIV/0!", 'office:value-type="float" office:value="0"')
    path = make_ods(tmp_path / "a.ods", ods_row(ods_cell("a")) + ods_row(error))
    assert read(path)[1] == [(1, 2, ["#DIV/0!"])]


def test_tables_inside_of_shapes_are_left_aside(tmp_path: Path) -> None:
    inner = f"<draw:frame><table:table>{ods_row(ods_cell('no'))}</table:table></draw:frame>"
    outer = f'<table:table-cell office:value-type="string">{inner}<text:p>a</text:p>'
    path = make_ods(
        tmp_path / "a.ods", ods_row(f"{outer}</table:table-cell>") + ods_row(ods_cell("1"))
    )
    assert read(path) == (["a"], [(1, 2, ["1"])])
