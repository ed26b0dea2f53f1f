"""The ways in which cells are parted and quoted are found in bounded time, and can be chosen."""

import random
import time
from pathlib import Path

import pytest

from portal.errors import InvalidError
from portal.tabular.dialect import DELIMITERS, Dialect, try_dialects
from portal.tabular.formats import HEAD, Format, find_format
from tests.tabular.delimited import find, stored

ROWS = "id,name\n1,Anna\n"


def delimiter(folder: Path, text: str) -> str:
    return find(folder, text).format.delimiter


def test_decimal_commas_do_not_part_cells(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "x;y\n1,5;2,3\n4,5;6,7\n") == ";"


def test_commas_in_a_text_do_not_part_cells(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "id;note\n1;Hello, you\n2;a, b, and c\n3;none\n") == ";"


def test_times_of_day_are_not_parted(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "begin,end\n12:30,13:45\n09:00,10:00\n") == ","


def test_a_column_of_decimals_stays_one_column(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "price\n1,5\n2,3\n") != ","


def test_a_column_of_sentences_stays_one_column(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "comment\nWell, hello\nhi\na, b, c\n") != ","


def test_a_column_of_full_names_is_not_parted_by_spaces(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "name\nAnna Smith\nBob Jones\n") != " "


def test_figures_parted_by_spaces_are_columns(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "x y z\n1 2 3\n4 5 6\n") == " "


def test_a_header_alone_is_enough(tmp_path: Path) -> None:
    assert delimiter(tmp_path, "id;name;city") == ";"


def test_the_ending_tsv_decides_where_the_text_does_not(tmp_path: Path) -> None:
    text = "a,b\tc\n"
    assert find(tmp_path, text, "x.tsv").format.delimiter == "\t"
    assert find(tmp_path, text, "x.csv").format.delimiter == ","


def test_the_first_line_of_excel_is_certain(tmp_path: Path) -> None:
    finding = find(tmp_path, "sep=|\r\na,b,c\r\n1,2,3\r\n")
    assert (finding.format.delimiter, finding.dialect_confidence) == ("|", 1.0)
    assert finding.format.sep_line


def test_delimiters_within_quotes_do_not_count(tmp_path: Path) -> None:
    text = 'id;note\n1;"a,b,c,d"\n2;"e,f,g,h"\n3;"i,j,k,l"\n'
    assert delimiter(tmp_path, text) == ";"


def test_tabs_and_an_inch_sign_make_no_quotes(tmp_path: Path) -> None:
    found = find(tmp_path, 'item\tsize\n"half\t5\nfull\t6\n').format
    assert (found.delimiter, found.quote) == ("\t", "")


def test_commas_and_an_open_quote_are_a_fault_not_another_format(tmp_path: Path) -> None:
    finding = find(tmp_path, 'a,b\n"x,1\ny,2\n')
    assert (finding.format.delimiter, finding.format.quote) == (",", '"')
    assert finding.dialect_confidence < 0.5
    assert any(other.quote == "" for other in finding.alternatives)


def test_a_quote_that_is_open_where_the_head_ends_is_no_fault(tmp_path: Path) -> None:
    rows = "".join(f'{number},"one\ntwo"\n' for number in range(HEAD // 10))
    finding = find(tmp_path, "id,note\n" + rows)
    assert (finding.format.quote, finding.format.quoting) == ('"', "minimal")
    assert finding.dialect_confidence > 0.8


def test_alternatives_offer_other_encodings_and_other_delimiters(tmp_path: Path) -> None:
    finding = find(tmp_path, "Straße;Größe,x\nKöln;1,y\n".encode("cp1252"))
    assert {other.encoding for other in finding.alternatives} > {"cp1252", "cp1250"}
    assert "," in {other.delimiter for other in finding.alternatives}
    assert finding.format not in finding.alternatives


def test_reasons_are_sentences(tmp_path: Path) -> None:
    assert find(tmp_path, "a;b\n1;2\n").reasons == (
        "All characters are ASCII.",
        "Parted by semicolon, most rows have 2 columns.",
    )


def test_an_empty_file_has_a_format_in_which_nobody_trusts(tmp_path: Path) -> None:
    finding = find(tmp_path, "")
    assert (finding.encoding_confidence, finding.dialect_confidence) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04", "ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "older Office"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_no_text_is_refused_by_its_name(tmp_path: Path, start: bytes, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        find(tmp_path, start + bytes(100))


def test_a_name_with_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="Portal reads CSV, TSV, XLS, XLSX and ODS"):
        find(tmp_path, ROWS, "x.doc")


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_the_ending_of_a_spreadsheet_says_its_kind(tmp_path: Path, kind: str) -> None:
    assert find(tmp_path, b"whatever", f"X.{kind.upper()}").format == Format(kind=kind)


def test_a_format_comes_back_from_json() -> None:
    fmt = Format(encoding="cp1250", delimiter=";", line_end="\n", quoting="all", sep_line=True)
    assert Format.from_json(fmt.as_json()) == fmt


@pytest.mark.parametrize(
    "stored_values",
    [
        {"encoding": "rot13"},
        {"encoding": "unicode_escape"},
        {"delimiter": ""},
        {"delimiter": ",,"},
        {"delimiter": "\n"},
        {"delimiter": '"'},
        {"quote": "''"},
        {"line_end": "x"},
        {"quoting": "most"},
        {"kind": "pdf"},
        {"doubled": "yes"},
        {"colour": "red"},
        {"doubled": False, "delimiter": "\\"},
        {"delimiter": " ", "skip_space": True},
        {"quote": "", "skip_space": True},
    ],
)
def test_a_format_that_no_file_can_have_is_refused(stored_values: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        Format.from_json(stored_values)


@pytest.mark.parametrize(
    "text",
    [
        '"' * 262_144,
        "," * 262_144,
        "\\" * 262_144,
        "'," * 131_072,
        "a\n" * 131_072,
        '",' * 131_072,
        "".join(DELIMITERS) * 20_000,
        '"a\\"' * 65_536,
        "1" * 262_144,
        "1,1 " * 65_536,
        "a@" * 131_072,
        random.Random(1).randbytes(131_072).decode("latin-1"),
        'ax,"ay,a"z,\na\'b\',c"d,e\n' * 12_000,
    ],
    ids=range(13),
)
def test_the_time_is_bounded(text: str, tmp_path: Path) -> None:
    path = stored(tmp_path, text)
    before = time.thread_time()
    find_format(path, name="x.csv")
    assert time.thread_time() - before < 2.0


def test_there_is_always_a_way_to_split_a_text() -> None:
    assert try_dialects("", whole=True)[0].dialect == Dialect()
