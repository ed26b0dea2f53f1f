"""Files that are broken, locked, misnamed or made to do harm: each gets a sentence, quickly."""

import io
import json
import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from portal.tabular.formats import Format
from portal.tabular.sheets.child import main
from portal.tabular.sheets.frames import LENGTH
from portal.tabular.spreadsheets import Bounds, open_sheet, sheet_names
from portal.tabular.table import Limits, TableError
from tests.tabular.workbook_making import (
    MAIN,
    RELATIONS,
    WORKBOOKS,
    cell,
    make_ods,
    make_xlsx,
    ods_cell,
    ods_row,
    sheet_xml,
    text_row,
    zip_of,
)

MB = 1024**2


def read(path: Path, *, limits: Limits | None = None, bounds: Bounds | None = None) -> int:
    """The number of its rows."""
    with open_sheet(
        path,
        Format(kind=path.suffix[1:]),
        limits=limits or Limits(),
        bounds=bounds or Bounds(cpu_seconds=30, wait_seconds=60),
    ) as table:
        return sum(1 for _row in table.rows)


def why_not(path: Path, **given: Limits | Bounds) -> str:
    with pytest.raises(TableError) as caught:
        read(path, **given)
    return str(caught.value)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_cell_in_the_last_corner_takes_no_memory(tmp_path: Path) -> None:
    rows = f"<row r='1'>{cell('a', 'A1')}</row><row r='1048576'>{cell('z', 'XFD1048576')}</row>"
    path = make_xlsx(tmp_path / "a.xlsx", rows)
    assert "Cell XFD1048576 stands too far to the right; at most 1,024 columns" in why_not(path)


def test_a_cell_in_the_last_row_is_read_with_all_blank_rows_before_it(tmp_path: Path) -> None:
    rows = f"<row r='1'>{cell('a', 'A1')}</row><row r='1048576'>{cell('z', 'A1048576')}</row>"
    assert read(make_xlsx(tmp_path / "a.xlsx", rows)) == 1_048_575


def test_a_row_beyond_the_last_is_refused(tmp_path: Path) -> None:
    rows = f"<row>{cell('a')}</row><row r='99999999999'>{cell('z')}</row>"
    assert "at most 1,048,576 rows" in why_not(make_xlsx(tmp_path / "a.xlsx", rows))


def test_an_old_workbook_with_a_far_cell_stays_within_its_memory() -> None:
    told = why_not(WORKBOOKS / "far.xls", bounds=Bounds(memory=300 * MB))
    assert "needs more than 300 MB of memory; perhaps a cell far from the others" in told


def test_rows_that_claim_to_repeat_for_ever_are_refused(tmp_path: Path) -> None:
    row = f'<table:table-row table:number-rows-repeated="99999999999">{ods_cell("x")}'
    path = make_ods(tmp_path / "a.ods", ods_row(ods_cell("a")) + row + "</table:table-row>")
    assert "at most 1,048,576 rows" in why_not(path)


def test_columns_that_claim_to_repeat_for_ever_are_refused(tmp_path: Path) -> None:
    wide = ods_cell("x", 'office:value-type="string" table:number-columns-repeated="999999999"')
    assert "at most 1,024 columns" in why_not(make_ods(tmp_path / "a.ods", ods_row(wide)))


def test_empty_cells_may_repeat_to_the_end_of_the_row(tmp_path: Path) -> None:
    rest = '<table:table-cell table:number-columns-repeated="16383"/>'
    rows = ods_row(ods_cell("a"), rest) + ods_row(ods_cell("1"), rest)
    assert read(make_ods(tmp_path / "a.ods", rows)) == 1


def test_a_part_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a"), sharedStrings=b" " * (64 * MB))
    assert path.stat().st_size < MB
    assert "packed in a way that no program packs one" in why_not(path)


def test_parts_that_together_unpack_to_too_much_are_refused(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a"))
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<II", data, place + 20, 0xFFFF0000, 0xFFFF0000)
    place = data.find(b"PK\x01\x02")
    struct.pack_into("<II", data, place + 20, 0xFFFF0000, 0xFFFF0000)
    told = why_not(written(path, bytes(data)))
    assert "packed in a way that no program packs one" in told


def test_thousands_of_parts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10_001):
            archive.writestr(zipfile.ZipInfo(f"xl/{number}"), b"")
    assert "more than 10,000 parts" in why_not(path)


def test_a_hundred_thousand_sheets_are_refused(tmp_path: Path) -> None:
    sheet = '<sheet name="a" r:id="rId1"/>'
    workbook = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheet * 10**5}'
    workbook += "</sheets></workbook>"
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a"), packed=False, workbook=workbook)
    assert "has 100,000 sheets; at most 1,000" in why_not(path)


def test_a_billion_laughs_are_not_heard(tmp_path: Path) -> None:
    lines = ["<!ENTITY a0 'ha'>"]
    lines += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)]
    texts = f"<!DOCTYPE sst [{''.join(lines)}]><sst><si><t>&a9;</t></si></sst>"
    row = '<row><c t="s"><v>0</v></c></row>'
    told = why_not(make_xlsx(tmp_path / "a.xlsx", row, sharedStrings=texts))
    assert "it declares a document type" in told


def test_an_entity_that_names_a_file_is_not_read(tmp_path: Path) -> None:
    xml = '<!DOCTYPE w [<!ENTITY p SYSTEM "file:///etc/passwd">]>' + sheet_xml(text_row("&p;"))
    assert "document type" in why_not(make_xlsx(tmp_path / "a.xlsx", sheet=xml))


def test_elements_nested_without_end_are_survived(tmp_path: Path) -> None:
    xml = sheet_xml("<a>" * 500_000)
    assert "damaged" in why_not(make_xlsx(tmp_path / "a.xlsx", sheet=xml))


def test_a_text_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    texts = f"<sst><si><t>{'x' * 100 * MB}</t></si></sst>"
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a"), packed=False, sharedStrings=texts)
    assert "MB of memory" in why_not(path, bounds=Bounds(memory=150 * MB))


def test_a_cell_over_the_limit_is_refused_with_its_place(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a", "b") + text_row("1", "x" * 101))
    told = why_not(path, limits=Limits(cell=100))
    assert told == "Line 2, column 2: The cell has 101 characters; at most 100 are read."


def test_a_row_over_the_limit_is_refused_with_its_place(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a", "b") + text_row("x" * 60, "x" * 60))
    assert why_not(path, limits=Limits(row=100)).startswith("Line 2: The row has more than 100")


def test_a_nul_is_refused_with_its_place(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row("a") + text_row("x_x0000_y"))
    assert "Line 2, column 1: The cell holds a NUL" in why_not(path)


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    path = make_xlsx(tmp_path / "a.xlsx", text_row(*map(str, range(6))))
    assert "Cell 6 stands too far to the right; at most 5" in why_not(
        path, limits=Limits(columns=5)
    )


def test_styled_cells_without_content_may_stand_anywhere(tmp_path: Path) -> None:
    rows = (
        f"<row>{cell('a', 'A1')}<c r='XFD1' s='0'/></row><row><c r='XFD2'/>{cell('1', 'A2')}</row>"
    )
    assert read(make_xlsx(tmp_path / "a.xlsx", rows)) == 1


def test_rows_out_of_order_are_called_damage(tmp_path: Path) -> None:
    rows = f"<row r='5'>{cell('a')}</row><row r='2'>{cell('b')}</row>"
    assert "row 2 comes after row 5" in why_not(make_xlsx(tmp_path / "a.xlsx", rows))


@pytest.mark.parametrize("raw", ["x", "nan", "1e999", "--1"])
def test_a_number_that_is_none_is_called_damage(tmp_path: Path, raw: str) -> None:
    rows = text_row("a") + f"<row><c><v>{raw}</v></c></row>"
    assert "row 2, column 1" in why_not(make_xlsx(tmp_path / "a.xlsx", rows))


@pytest.mark.parametrize("index", ["7", "-1", "x"])
def test_a_text_that_is_not_there_is_called_damage(tmp_path: Path, index: str) -> None:
    rows = text_row("a") + f'<row><c t="s"><v>{index}</v></c></row>'
    path = make_xlsx(tmp_path / "a.xlsx", rows, sharedStrings="<sst><si><t>b</t></si></sst>")
    assert "row 2, column 1" in why_not(path)


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_a_password_is_told_from_damage(kind: str) -> None:
    assert "protected by a password" in why_not(WORKBOOKS / f"locked.{kind}")


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_half_a_file_is_called_damaged(tmp_path: Path, kind: str) -> None:
    data = (WORKBOOKS / f"staff.{kind}").read_bytes()
    assert "damaged" in why_not(written(tmp_path / f"a.{kind}", data[: len(data) // 2]))


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_an_empty_file_is_called_so(tmp_path: Path, kind: str) -> None:
    assert why_not(written(tmp_path / f"a.{kind}", b"")) == "The file is empty."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbf<!DOCTYPE html><table><tr><td>a</table>", "it is a web page (HTML)"),
        (b"<html><body><table>", "it is a web page (HTML)"),
        (b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'>",
         "it is XML of Excel 2003"),
        (b"<?xml version='1.0'?><x/>", "it is XML or a web page"),
        (b"a,b\r\n1,2\r\n", "it is plain text. Name it .csv"),
        ("a\tb\r\n".encode("utf-16"), "it is plain text. Name it .csv"),
        (b"%PDF-1.7", "it is a PDF document"),
        (b"\0\1\2\3" * 100, "it is no spreadsheet, or damaged"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["xls", "xlsx"])
def test_what_only_bears_the_name_is_called_what_it_is(
    tmp_path: Path, data: bytes, words: str, kind: str
) -> None:
    told = why_not(written(tmp_path / f"a.{kind}", data))
    assert told.startswith("The file is not an Excel workbook")
    assert words in told


@pytest.mark.parametrize(
    ("is_kind", "named"), [("xlsx", "xls"), ("ods", "xlsx"), ("xls", "ods"), ("xls", "xlsx")]
)
def test_a_workbook_under_another_kinds_name_is_told_its_own(
    tmp_path: Path, is_kind: str, named: str
) -> None:
    path = written(tmp_path / f"a.{named}", (WORKBOOKS / f"staff.{is_kind}").read_bytes())
    told = why_not(path)
    assert f"(.{is_kind}), not .{named}. Give it the right name (such as .{is_kind})" in told


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("xl/workbook.bin", "it is a binary workbook (.xlsb)"),
        ("word/document.xml", "it is another Office document"),
        ("readme.txt", "it is a zip file of other things"),
    ],
)
def test_other_zip_files_are_called_what_they_are(tmp_path: Path, part: str, words: str) -> None:
    assert words in why_not(zip_of(tmp_path / "a.xlsx", {part: "x"}))


def test_the_sheets_of_a_hostile_file_are_not_named_either(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="plain text"):
        sheet_names(written(tmp_path / "a.xls", b"a,b\r\n"), "xls")


@pytest.mark.parametrize("seed", range(6))
def test_an_old_workbook_with_random_damage_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    data = spoiled((WORKBOOKS / "staff.xls").read_bytes(), random.Random(seed))
    with suppress(TableError):
        read(written(tmp_path / "a.xls", data))


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_random_damage_of_a_package_is_read_or_refused(kind: str) -> None:
    whole = (WORKBOOKS / f"staff.{kind}").read_bytes()
    chance = random.Random(kind)
    for _try in range(300):
        assert_answered(spoiled(whole, chance), kind)


@pytest.mark.parametrize(
    ("kind", "part"), [("xlsx", "xl/worksheets/sheet1.xml"), ("ods", "content.xml")]
)
def test_random_damage_of_the_rows_is_read_or_refused(tmp_path: Path, kind: str, part: str) -> None:
    with zipfile.ZipFile(WORKBOOKS / f"staff.{kind}") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    chance = random.Random(kind)
    for _try in range(100):
        path = zip_of(tmp_path / "a", parts | {part: spoiled(parts[part], chance)})
        assert_answered(path.read_bytes(), kind)


def spoiled(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    for _change in range(chance.randint(1, 20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def assert_answered(data: bytes, kind: str) -> None:
    answers = io.BytesIO()
    request = {"wanted": "rows", "kind": kind, "sheet": "", "limits": {}}
    assert main(request, io.BytesIO(data), answers) == 0
    frames = answers.getvalue()
    last = b""
    while frames:
        (size,) = LENGTH.unpack_from(frames)
        last, frames = frames[LENGTH.size : LENGTH.size + size], frames[LENGTH.size + size :]
    assert {"end", "error"} & json.loads(last).keys()
