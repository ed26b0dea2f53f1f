"""Rows are written as the source was; what cannot be written so is an error in words."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.errors import InvalidError
from portal.tabular.dialect import DELIMITERS, LINE_ENDS, QUOTINGS
from portal.tabular.encoding import ENCODINGS
from portal.tabular.formats import Format
from portal.tabular.writing import TableWriter
from tests.tabular.delimited import cells, read, stored, written

LF = Format(line_end="\n")
text = st.text(
    alphabet=st.one_of(st.sampled_from("\"',;\t|\\\r\n =+-@"), st.characters()), max_size=9
)
rows_of_text = st.lists(st.lists(text, max_size=4), max_size=5)


@st.composite
def formats(draw: st.DrawFn) -> Format:
    values: dict[str, object] = {
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])),
        "delimiter": draw(st.sampled_from(DELIMITERS)),
        "quote": draw(st.sampled_from(['"', "'", ""])),
        "doubled": draw(st.booleans()),
        "line_end": draw(st.sampled_from(LINE_ENDS)),
        "quoting": draw(st.sampled_from(QUOTINGS)),
        "sep_line": draw(st.booleans()),
    }
    try:
        return Format.from_json(values)
    except InvalidError:
        assume(False)
        raise


@given(rows_of_text, formats())
def test_whatever_can_be_written_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], fmt: Format
) -> None:
    try:
        content = written([["a", "b"], *rows], fmt)
    except InvalidError:
        assume(False)
    path = stored(tmp_path_factory.getbasetemp(), content, "roundtrip.csv")
    header, found = read(path, fmt, restore=False)
    assert header == ["a", "b"]
    assert cells(found) == [[] if row == [""] and not fmt.quote else row for row in rows]


@given(rows_of_text)
def test_a_file_for_spreadsheets_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    try:
        content = written([["a", "b"], *rows], LF, for_spreadsheets=True)
    except InvalidError:
        assume(False)
    path = stored(tmp_path_factory.getbasetemp(), content, "sheets.csv")
    assert cells(read(path, LF)[1]) == rows


def test_cells_are_quoted_only_where_needed() -> None:
    assert written([["a,b", 'c"d', "e f", "", "g\nh"]], LF) == b'"a,b","c""d",e f,,"g\nh"\n'


def test_a_foreign_line_end_in_a_cell_is_quoted() -> None:
    assert written([["a\rb", "c"]], LF) == b'"a\rb",c\n'
    assert written([["a\nb", "c"]], Format(line_end="\r")) == b'"a\nb",c\r'


def test_all_cells_are_quoted_where_all_were() -> None:
    assert written([["a", "1", ""]], Format(quoting="all")) == b'"a","1",""\r\n'


def test_spaces_at_the_beginning_are_kept_where_readers_leave_them_out() -> None:
    assert written([[" a", "b"]], Format(skip_space=True)) == b'" a","b"\r\n'


def test_figures_are_bare_where_only_text_was_quoted() -> None:
    assert written([["a", "1.5", "007", ""]], Format(quoting="text")) == b'"a",1.5,007,""\r\n'


def test_a_backslash_stands_before_quotes_where_it_did() -> None:
    fmt = Format(doubled=False, line_end="\n")
    assert written([['a"b', "c\\d", "e"]], fmt) == b'"a\\"b",c\\\\d,e\n'


def test_a_blank_row_is_an_empty_line_and_an_empty_cell_is_quoted() -> None:
    assert written([["a"], [], [""], ["b"]], LF) == b'a\n\n""\nb\n'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_byte_order_mark_stands_once(encoding: str) -> None:
    stream = io.BytesIO()
    writer = TableWriter(stream, Format(encoding=encoding))
    writer.write(["ä"])
    writer.write(["ö"])
    assert stream.getvalue() == "ä\r\nö\r\n".encode(encoding)


def test_the_mark_of_utf_16_with_its_high_byte_first_is_written() -> None:
    assert written([["a"]], Format(encoding="utf-16-be", bom=True)) == b"\xfe\xff\0a\0\r\0\n"


def test_the_line_of_excel_is_written_first() -> None:
    assert written([["a", "b"]], Format(delimiter=";", sep_line=True)) == b"sep=;\r\na;b\r\n"


def test_nothing_is_held_back_between_calls() -> None:
    stream = io.BytesIO()
    TableWriter(stream, LF).write(["a"])
    assert stream.getvalue() == b"a\n"


def test_a_character_that_the_encoding_has_not_is_an_error_in_words() -> None:
    with pytest.raises(InvalidError, match=r"Row 3 has “€” \(U\+20AC\), which Latin-1 .* UTF-8"):
        written([["a"], ["b"], ["5 €"]], Format(encoding="iso8859-1"))


def test_a_lone_surrogate_is_an_error_in_words() -> None:
    with pytest.raises(InvalidError, match=r"Row 1 .*U\+D800"):
        written([["\ud800"]], Format())


def test_a_nul_is_an_error_in_words() -> None:
    with pytest.raises(InvalidError, match="Row 2 has a NUL"):
        written([["a"], ["b\0"]], LF)


def test_a_delimiter_in_a_cell_without_quotes_is_an_error_in_words() -> None:
    with pytest.raises(InvalidError, match=r"Row 2 .* choose a format that has quotes"):
        written([["a"], ["b,c"]], Format(quote=""))


def test_rows_before_one_that_cannot_be_written_stand() -> None:
    stream = io.BytesIO()
    with pytest.raises(InvalidError):
        TableWriter(stream, LF).write_many([["a"], ["b"], ["\0"], ["c"]])
    assert stream.getvalue() == b"a\nb\n"


def test_rows_drawn_before_an_error_of_their_source_stand() -> None:
    def source() -> Iterator[Sequence[str]]:
        yield ["a"]
        yield ["b"]
        raise LookupError

    stream = io.BytesIO()
    with pytest.raises(LookupError):
        TableWriter(stream, LF).write_many(source())
    assert stream.getvalue() == b"a\nb\n"


def test_many_rows_and_large_ones_are_written_in_order() -> None:
    rows = [[str(number), "x" * (100_000 if number % 700 == 0 else 3)] for number in range(3_000)]
    expected = "".join(",".join(row) + "\n" for row in rows)
    assert written(iter(rows), LF) == expected.encode()


def test_formulas_are_marked_only_in_files_for_spreadsheets() -> None:
    assert written([["=1", "-5", "+49"]], LF) == b"=1,-5,+49\n"
    assert written([["=1", "-5", "+49"]], LF, for_spreadsheets=True) == b"'=1,-5,'+49\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_that_can_be_chosen_is_written_and_read(
    tmp_path: Path, encoding: str
) -> None:
    fmt = Format(encoding=encoding)
    path = stored(tmp_path, written([["id", "name"], ["1", "x"]], fmt))
    assert read(path, fmt) == (["id", "name"], [(1, 2, ["1", "x"])])
