"""Templates: an empty file that Excel opens well, and that Portal reads back."""

import io
from datetime import date
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from portal.tabular.fields import Choice, Empty, Field, FieldType
from portal.tabular.formats import Format
from portal.tabular.spreadsheets import open_sheet, sheet_names
from portal.tabular.templates import (
    CHOICES_SHEET,
    REFERENCES_AT_MOST,
    SHEET,
    csv_template,
    tsv_template,
    xlsx_template,
)

STATES = tuple(Choice(value=value) for value in ("open", "closed"))
LONG = tuple(Choice(value=f"value {number:03}") for number in range(300))


def opened(*fields: Field) -> Worksheet:
    return openpyxl.load_workbook(io.BytesIO(xlsx_template(fields)))[SHEET]


def rule_of(sheet: Worksheet) -> object:
    (rule,) = sheet.data_validations.dataValidation
    return rule


def test_a_csv_template_is_a_header_that_excel_opens_with_its_letters() -> None:
    fields = [Field(name="größe"), Field(name="a, b")]
    assert csv_template(fields) == b"\xef\xbb\xbf" + 'größe,"a, b"\r\n'.encode()


def test_a_header_that_looks_like_a_formula_is_none() -> None:
    assert csv_template([Field(name="=1+1")]) == b"\xef\xbb\xbf'=1+1\r\n"
    sheet = opened(Field(name="=1+1"))
    assert sheet["A1"].data_type == "s"


def test_the_same_fields_give_the_same_bytes() -> None:
    fields = [Field(name="code"), Field(name="state", type=FieldType.CHOICE, choices=LONG)]
    assert xlsx_template(fields) == xlsx_template(fields)


def test_a_filled_template_is_read_back_with_leading_zeros_and_dates(tmp_path: Path) -> None:
    fields = [Field(name="code"), Field(name="born", type=FieldType.DATE)]
    book = openpyxl.load_workbook(io.BytesIO(xlsx_template(fields)))
    book[SHEET].append(["007", date(2024, 2, 29)])
    book.save(tmp_path / "t.xlsx")
    with open_sheet(tmp_path / "t.xlsx", Format(kind="xlsx")) as table:
        assert table.header == ["code", "born"]
        assert list(table.rows) == [(1, 2, ["007", "2024-02-29"])]


def test_the_header_is_frozen_and_keeps_the_order_of_the_fields() -> None:
    sheet = opened(Field(name="b"), Field(name="a"))
    assert [cell.value for cell in sheet[1]] == ["b", "a"]
    assert sheet.freeze_panes == "A2"


def test_columns_are_formatted_for_what_they_take() -> None:
    kinds = (FieldType.TEXT, FieldType.INTEGER, FieldType.PHONE, FieldType.DATE, FieldType.DATETIME)
    sheet = opened(*(Field(name=kind, type=kind) for kind in kinds))
    formats = [sheet.column_dimensions[letter].number_format for letter in "ABCDE"]
    assert formats == ["@", "0", "@", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]


def test_a_note_tells_how_to_fill_the_column_in() -> None:
    field = Field(
        name="state",
        type=FieldType.CHOICE,
        title="State",
        help="Where it stands.",
        required=True,
        choices=(Choice(value="open", label="Open"), Choice(value="closed")),
        empty=Empty.CLEAR,
    )
    assert opened(field)["A1"].comment.text.splitlines() == [
        "State",
        "Where it stands.",
        "Required.",
        "One of the choices.",
        "Choices: open (Open), closed.",
        "An empty cell clears the value.",
    ]


def test_a_note_shows_the_first_of_many_choices_and_says_how_many_more() -> None:
    text = opened(Field(name="x", type=FieldType.CHOICE, choices=LONG))["A1"].comment.text
    assert "value 019, and 280 more." in text


def test_required_headers_stand_out() -> None:
    sheet = opened(Field(name="a", required=True), Field(name="b"))
    assert sheet["A1"].fill.fgColor.rgb != sheet["B1"].fill.fgColor.rgb


def test_choices_drop_down_in_every_row_and_let_markers_pass() -> None:
    rule = rule_of(opened(Field(name="state", type=FieldType.CHOICE, choices=STATES)))
    assert (rule.type, rule.formula1) == ("list", '"open,closed"')
    assert str(rule.sqref) == "A2:A1048576"
    assert rule.errorStyle == "warning"


def test_truths_drop_down() -> None:
    assert rule_of(opened(Field(name="on", type=FieldType.BOOLEAN))).formula1 == '"true,false"'


def test_long_lists_stand_on_a_hidden_sheet(tmp_path: Path) -> None:
    data = xlsx_template([Field(name="x", type=FieldType.CHOICE, choices=LONG)])
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book[CHOICES_SHEET].sheet_state == "hidden"
    assert rule_of(book[SHEET]).formula1 == "Choices!$A$2:$A$301"
    assert [cell.value for cell in book[CHOICES_SHEET]["A"]][:3] == ["x", "value 000", "value 001"]
    (tmp_path / "t.xlsx").write_bytes(data)
    assert sheet_names(tmp_path / "t.xlsx", "xlsx") == [SHEET]


def test_choices_with_commas_are_not_split() -> None:
    choices = (Choice(value="a, b"), Choice(value="c"))
    rule = rule_of(opened(Field(name="x", type=FieldType.CHOICE, choices=choices)))
    assert rule.formula1 == "Choices!$A$2:$A$3"


def test_bounds_of_numbers_and_lengths_of_texts_are_rules() -> None:
    sheet = opened(
        Field(name="n", type=FieldType.INTEGER, minimum=1, maximum=9),
        Field(name="t", max_length=5),
        Field(name="open", type=FieldType.INTEGER, minimum=1),
    )
    number, text = sheet.data_validations.dataValidation
    assert (number.type, number.operator or "between", number.formula1, number.formula2) == (
        "whole",
        "between",
        "1",
        "9",
    )
    assert (text.type, text.operator, text.formula1) == ("textLength", "lessThanOrEqual", "5")


def test_a_tsv_template_has_tabs() -> None:
    fields = [Field(name="größe"), Field(name="a, b")]
    assert tsv_template(fields) == b"\xef\xbb\xbf" + "größe\ta, b\r\n".encode()


DESCRIBED = (
    Field(name="code", type=FieldType.INTEGER, primary=True),
    Field(name="note"),
    Field(name="on", type=FieldType.BOOLEAN),
    Field(name="trunk", type=FieldType.REFERENCE, refers_to="trunk"),
)
ROW = [
    "Primary Key; Required (Has Default); Integer",
    "",
    "One of: true, false",
    "An Identifier from the trunk table",
]


def test_a_described_template_has_a_help_row_below_its_header(tmp_path: Path) -> None:
    text = csv_template(DESCRIBED, described=True).decode("utf-8-sig").splitlines()[1]
    assert text == f'{ROW[0]},,"{ROW[2]}",{ROW[3]}'
    lines = tsv_template(DESCRIBED, described=True).decode("utf-8-sig").splitlines()
    assert lines[1].split("\t") == ROW
    (tmp_path / "t.xlsx").write_bytes(xlsx_template(DESCRIBED, described=True))
    with open_sheet(tmp_path / "t.xlsx", Format(kind="xlsx")) as table:
        assert list(table.rows) == [(1, 2, ROW)]


def test_below_a_help_row_rules_begin_where_data_does() -> None:
    data = xlsx_template(DESCRIBED, described=True, references={"trunk": ["a", "b"]})
    sheet = openpyxl.load_workbook(io.BytesIO(data))[SHEET]
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules == {"C3:C1048576": '"true,false"', "D3:D1048576": '"a,b"'}
    assert sheet.freeze_panes == "A3"


def test_references_drop_down_by_the_thousand_and_not_without_end() -> None:
    field = Field(name="trunk", type=FieldType.REFERENCE)
    names = [f"T{number}" for number in range(REFERENCES_AT_MOST)]
    book = openpyxl.load_workbook(io.BytesIO(xlsx_template([field], references={"trunk": names})))
    assert rule_of(book[SHEET]).formula1 == f"Choices!$A$2:$A${REFERENCES_AT_MOST + 1}"
    data = xlsx_template([field], references={"trunk": [*names, "more"]})
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book[SHEET].data_validations.dataValidation == []
    assert book.sheetnames == [SHEET]
