"""What cannot be read is refused in words, with its line and column, in bounded memory."""

import csv
import threading
import tracemalloc
from pathlib import Path

import pytest

from portal.tabular.formats import HEAD, Format, find_format
from portal.tabular.table import LIMITS, Limits, TableError
from tests.tabular.delimited import cells, read, read_text, stored

CSV = Format()
SMALL = Limits(cell=20, row=200_000, columns=3)


def fault(
    folder: Path, content: bytes | str, fmt: Format = CSV, limits: Limits = LIMITS
) -> TableError:
    with pytest.raises(TableError) as caught:
        read(stored(folder, content), fmt, limits=limits)
    return caught.value


def place(error: TableError) -> tuple[int | None, int | None]:
    return error.line, error.column


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert str(fault(tmp_path, "")) == "The file is empty; its first line must name the columns."


@pytest.mark.parametrize("content", ["\n\n\r\n", "\ufeff", ",,\n", "  \n", "sep=;\n"])
def test_a_file_that_holds_nothing_is_refused_as_empty(tmp_path: Path, content: str) -> None:
    path = stored(tmp_path, content)
    with pytest.raises(TableError, match="empty"):
        read(path, find_format(path, name="x.csv").format)


def test_a_nul_is_refused_with_its_line_and_column(tmp_path: Path) -> None:
    error = fault(tmp_path, "a,b\n1,2\n3,x\0y\n")
    assert place(error) == (3, 2)
    assert str(error).startswith("Line 3, column 2: A NUL character")


def test_a_nul_in_a_cell_of_several_lines_is_refused_where_it_stands(tmp_path: Path) -> None:
    assert place(fault(tmp_path, 'a,b,c\n1,"x\ny\n\0z",3\n')) == (4, 2)


def test_a_byte_that_is_not_of_the_encoding_is_refused_with_its_place(tmp_path: Path) -> None:
    error = fault(tmp_path, b"a,b\n1,ok\n2,M" + "üller, Köln".encode("cp1252"))
    assert place(error) == (3, 2)
    assert "The byte FC" in str(error)
    assert "probably Windows-1252 (Western European)" in str(error)


def test_a_wrong_byte_behind_the_head_names_the_encoding_to_choose(tmp_path: Path) -> None:
    count = HEAD // 4
    content = b"a,b\n" + b"1,2\n" * count + "3,Jürgen Groß\n".encode("cp1252")
    path = stored(tmp_path, content)
    found = find_format(path, name="x.csv").format
    assert found.encoding == "utf-8"
    error = fault(tmp_path, content, found)
    assert place(error) == (count + 2, 2)
    assert "Windows-1252" in error.message


def test_one_wrong_byte_in_a_text_of_proper_utf_8_is_to_be_repaired(tmp_path: Path) -> None:
    error = fault(tmp_path, b"a\n" + "Größe\n".encode() * 50 + b"\xe4\n")
    assert place(error) == (52, 1)
    assert error.message.endswith("Choose another encoding for the file, or repair the line.")


def test_utf_16_without_its_mark_says_so(tmp_path: Path) -> None:
    error = fault(tmp_path, "a,b\n".encode("utf-16-le"), Format(encoding="utf-16"))
    assert "no byte order mark" in str(error)


def test_a_quote_that_is_never_closed_names_the_line_in_which_it_opens(tmp_path: Path) -> None:
    error = fault(tmp_path, 'a,b\n1,2\n"x\ny","never\nclosed\n3,4\n')
    assert place(error) == (4, 2)
    assert "The quote that opens here is never closed" in str(error)


def test_a_quote_at_the_very_end_of_the_file_is_never_closed(tmp_path: Path) -> None:
    assert place(fault(tmp_path, 'a,b\n1,"')) == (2, 2)


def test_text_behind_a_closing_quote_is_refused(tmp_path: Path) -> None:
    error = fault(tmp_path, 'a,b\n1,"say\n"hi" to me"\n')
    assert place(error) == (3, 2)
    assert "must be doubled" in str(error)


def test_text_behind_a_closing_quote_is_refused_where_backslashes_escape(tmp_path: Path) -> None:
    error = fault(tmp_path, 'a,b\n1,"a\\"b"c\n', Format(doubled=False))
    assert place(error) == (2, 2)


def test_a_cell_that_is_too_long_is_refused_with_its_place(tmp_path: Path) -> None:
    error = fault(tmp_path, "a,b\n1,2\n3," + "x" * 21 + "\n", limits=SMALL)
    assert place(error) == (3, 2)
    assert "longer than 20 characters" in str(error)


def test_a_cell_as_long_as_is_allowed_is_read(tmp_path: Path) -> None:
    assert read_text(tmp_path, "a\n" + "x" * 20, limits=SMALL) == [(1, 2, ["x" * 20])]


def test_cells_beyond_the_usual_limit_of_csv_are_read(tmp_path: Path) -> None:
    cell = "x" * (LIMITS.cell - 1)
    assert read_text(tmp_path, f"a,b\n1,{cell}\n") == [(1, 2, ["1", cell])]


def test_a_cell_over_the_limit_is_refused_with_its_column(tmp_path: Path) -> None:
    error = fault(tmp_path, f'a,b\n1,"{"x" * LIMITS.cell}y"\n')
    assert place(error) == (2, 2)
    assert f"longer than {LIMITS.cell:,} characters" in str(error)


def test_an_unclosed_quote_in_a_large_file_is_named_where_it_opens(tmp_path: Path) -> None:
    error = fault(tmp_path, 'a,b\n1,"x\n' + "2,yyyyyyyyyyyyyyyyyyyyyyyy\n" * 60_000)
    assert place(error) == (2, 2)
    assert "never closed" in str(error)


def test_the_limit_of_csv_is_only_ever_raised(tmp_path: Path) -> None:
    read_text(tmp_path, "a\n1\n")
    before = csv.field_size_limit()
    read_text(tmp_path, "a\n1\n", limits=SMALL)
    assert csv.field_size_limit() == before >= LIMITS.cell


def test_a_line_without_an_end_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = stored(tmp_path, b"a,b\n" + b"x," * 5_000_000)
    tracemalloc.start()
    with pytest.raises(TableError) as caught:
        read(path, CSV, limits=SMALL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.line == 2
    assert "row is longer" in str(caught.value)
    assert peak < 3_000_000


def test_a_row_of_endless_quoted_lines_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = stored(tmp_path, b"a,b\n" + b'"\n",' * 2_000_000)
    tracemalloc.start()
    with pytest.raises(TableError) as caught:
        read(path, CSV, limits=SMALL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.line == 2
    assert peak < 20_000_000


def test_a_header_that_is_too_wide_is_refused(tmp_path: Path) -> None:
    error = fault(tmp_path, "a,b,c,d\n", limits=SMALL)
    assert place(error) == (1, 4)
    assert "The header has 4 columns; at most 3 are read." in str(error)


def test_a_header_of_1024_columns_is_read_and_one_more_refused(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(1_024)]
    assert read(stored(tmp_path, ",".join(names)), CSV)[0] == names
    assert place(fault(tmp_path, ",".join([*names, "more"]))) == (1, 1_025)


def test_double_headers_are_refused_with_the_line_and_column_of_the_second(tmp_path: Path) -> None:
    error = fault(tmp_path, "\n\nid,name,id\n1,2,3\n")
    assert place(error) == (3, 3)
    assert error.message == "Double headers: each column name may only appear once."


def test_names_that_differ_only_in_spaces_around_are_double(tmp_path: Path) -> None:
    assert place(fault(tmp_path, "id, id\n")) == (1, 2)


@pytest.mark.parametrize("header", ["id,,", "id,--ERRORS--,--ERRORS--", "id,ID"])
def test_columns_without_a_name_or_with_dashes_may_be_double(tmp_path: Path, header: str) -> None:
    assert read(stored(tmp_path, header), CSV)[0] == header.split(",")


def test_a_first_line_that_is_not_excels_is_refused_where_it_was_chosen(tmp_path: Path) -> None:
    assert fault(tmp_path, "a,b\n", Format(sep_line=True)).line == 1


def test_two_threads_read_at_once_with_limits_of_their_own(tmp_path: Path) -> None:
    path = stored(tmp_path, "a\n" + "x" * 50 + "\n")
    outcomes: dict[str, object] = {}

    def try_reading(name: str, limits: Limits) -> None:
        try:
            outcomes[name] = cells(read(path, CSV, limits=limits)[1])
        except TableError as error:
            outcomes[name] = error.line

    threads = [
        threading.Thread(target=try_reading, args=one)
        for one in (("small", SMALL), ("usual", LIMITS))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"small": 2, "usual": [["x" * 50]]}
