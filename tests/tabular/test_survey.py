"""What the columns of a whole file hold: types, digits, empties, and whether they name the rows."""

import datetime
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest

from portal.tabular.fields import FieldType
from portal.tabular.formats import Format, find_format
from portal.tabular.survey.distinct import Distinct
from portal.tabular.survey.file import Survey, survey
from portal.tabular.table import TableError


def surveyed(folder: Path, text: str) -> Survey:
    path = folder / "file.csv"
    path.write_text(text)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    found = survey(path, Format(), folder=work)
    assert list(work.iterdir()) == []
    return found


def type_of(folder: Path, cells: Iterable[str]) -> FieldType:
    rows = "".join(f'x,"{cell}"\n' for cell in cells)
    return surveyed(folder, f"a,b\n{rows}").columns[1].type


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "0", "-5", "123456789012345678"], FieldType.INTEGER),
        (["1", "1234567890123456789"], FieldType.TEXT),
        (["007", "42"], FieldType.TEXT),
        (["+49 30", "1"], FieldType.TEXT),
        (["+4930", "1"], FieldType.TEXT),
        (["-0", "1"], FieldType.TEXT),
        (["1", "2.50", ".5", "-0.25"], FieldType.DECIMAL),
        (["00.5", "1.5"], FieldType.TEXT),
        (["1,5", "2"], FieldType.DECIMAL),
        (["1e5", "2"], FieldType.TEXT),
        (["yes", "No", "TRUE", "off"], FieldType.BOOLEAN),
        (["1", "0"], FieldType.INTEGER),
        (["yes", "1"], FieldType.TEXT),
        (["2026-02-28", "1.3.2026"], FieldType.DATE),
        (["2026-02-28", "2026-02-28 00:00:00"], FieldType.DATE),
        (["2026-02-28", "2026-02-28 10:00"], FieldType.DATETIME),
        (["2026-02-28T10:00:00.5+02:00"], FieldType.DATETIME),
        (["2026-02-30"], FieldType.TEXT),
        (["20260228"], FieldType.INTEGER),
        (["01/02/2026"], FieldType.TEXT),
        (["12:30"], FieldType.TEXT),
        (["", "XXX", "5"], FieldType.INTEGER),
        (["", ""], FieldType.TEXT),
        (["1", "x"], FieldType.TEXT),
        (["2026-01-01", "5"], FieldType.TEXT),
    ],
)
def test_a_column_has_the_narrowest_type_that_all_its_cells_have(
    tmp_path: Path, cells: list[str], kind: FieldType
) -> None:
    assert type_of(tmp_path, cells) is kind
    assert type_of(tmp_path, reversed(cells)) is kind


@pytest.mark.parametrize("place", [0, 999, 1_000, 4_999])
def test_a_cell_counts_wherever_it_stands(tmp_path: Path, place: int) -> None:
    cells = [str(number) for number in range(5_000)]
    cells[place] = "1.25"
    assert type_of(tmp_path, cells) is FieldType.DECIMAL
    cells[place] = "n/a"
    assert type_of(tmp_path, cells) is FieldType.TEXT


def test_digits_of_all_rows_are_counted(tmp_path: Path) -> None:
    column = surveyed(tmp_path, "a,b\nx,12345\nx,1.125\n").columns[1]
    assert (column.before, column.scale) == (5, 3)


def test_offsets_of_moments_are_seen(tmp_path: Path) -> None:
    text = "a,b\n2026-01-01 10:00,2026-01-01 10:00\n2026-01-01 10:00,2026-01-01 10:00Z\n"
    assert [column.offset for column in surveyed(tmp_path, text).columns] == [False, True]


def test_empty_cells_are_counted_and_blank_rows_are_not(tmp_path: Path) -> None:
    found = surveyed(tmp_path, "a,b\n1,\n\n , \n2,x\n")
    assert found.rows == 2
    assert [(column.filled, column.empty) for column in found.columns] == [(2, 0), (1, 1)]


def test_ragged_rows_are_told_apart(tmp_path: Path) -> None:
    found = surveyed(tmp_path, "a,b\n1,2\nx\n3,4\nx,y,z\n")
    assert (found.rows, found.ragged, found.first_ragged) == (4, 2, 2)
    assert [column.type for column in found.columns] == [FieldType.INTEGER] * 2


@pytest.mark.parametrize(
    ("cells", "unique"),
    [
        (["a", "b", "c"], True),
        (["a", "b", "a"], False),
        (["a", "", "b"], False),
        (["a", " a", "b"], False),
        (["x" * 65, "y"], False),
        (["1.5", "2.5"], False),
    ],
)
def test_a_column_names_the_rows_where_all_its_cells_differ(
    tmp_path: Path, cells: list[str], unique: bool
) -> None:
    rows = "".join(f'z,"{cell}"\n' for cell in cells)
    assert surveyed(tmp_path, f"a,b\n{rows}").columns[1].unique is unique


def test_values_far_apart_are_found_to_be_the_same(tmp_path: Path) -> None:
    for same in (False, True):
        distinct = Distinct(tmp_path / f"hashes-{same}", run=1_000)
        for start in range(0, 20_000, 500):
            distinct.add([str(number) for number in range(start, start + 500)])
        distinct.add(["3" if same else "x"])
        assert distinct.all_different() is not same
        distinct.close()
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import sys
from pathlib import Path
from portal.tabular.formats import Format
from portal.tabular.survey.file import survey
from tests.memory import peak_memory
folder = Path(sys.argv[1])
found = survey(folder / "file.csv", Format(), folder=folder)
assert found.columns[0].unique and found.columns[1].unique
print(peak_memory())
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for rows in (100_000, 400_000):
        with (tmp_path / "file.csv").open("w") as file:
            file.write("id,code\n")
            file.writelines(f"{number},C{number:09}\n" for number in range(rows))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, tmp_path], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 4_000_000


def test_columns_without_a_name_and_errors_of_ours_name_no_rows(tmp_path: Path) -> None:
    found = surveyed(tmp_path, "a,,--ERRORS--\n1,2,3\n")
    assert [column.unique for column in found.columns] == [True, False, False]


def test_a_file_that_breaks_off_says_where_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="Line 3"):
        surveyed(tmp_path, 'a,b\n1,2\n"3,4\n')
    assert list((tmp_path / "work").iterdir()) == []


def test_what_was_found_comes_back_from_json(tmp_path: Path) -> None:
    found = surveyed(tmp_path, "a,b\n1,2.5\n3\n")
    assert Survey.from_json(found.as_json()) == found


def test_a_sheet_is_looked_through_like_a_file(workbook: Path, tmp_path: Path) -> None:
    found = survey(workbook, find_format(workbook, name="a.xlsx").format, folder=tmp_path)
    assert [(column.header, column.type) for column in found.columns] == [
        ("id", FieldType.INTEGER),
        ("price", FieldType.DECIMAL),
        ("open", FieldType.BOOLEAN),
        ("since", FieldType.DATE),
        ("seen", FieldType.DATETIME),
        ("code", FieldType.TEXT),
    ]


@pytest.fixture
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "price", "open", "since", "seen", "code"])
    for number in range(3):
        seen = datetime.datetime(2026, 1, 1, 10, number)
        day = datetime.date(2026, 1, 1 + number)
        sheet.append([number, number + 0.25, bool(number), day, seen, f"00{number}"])
    path = tmp_path_factory.mktemp("book") / "a.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("cells", "number"),
    [
        (["1,5", "2", "-0,25"], ","),
        (["1.234,50", "12,00", "1.234"], ",."),
        (["1 234,50", "12"], ", "),
        (["1\u00a0234,50", "1\u202f000"], ", "),
        (["1'234,50", "0,1"], ",'"),
        (["1,234.50", "12"], ".,"),
        (["0.5"] * 1000 + ["1,234"], ".,"),
        (["7"] * 1000 + ["1.234.567,5"], ",."),
        (["1.234,50", "12.5"], None),
        (["1,234", "12,345"], None),
        (["1.234.567", "1.000"], None),
        (["007,50", "1,5"], None),
        (["12,34,5", "1,5"], None),
        (["1,5", "x"], None),
        (["-0", "0.5"], None),
        (["1.5", "2"], None),
    ],
)
def test_numbers_are_read_as_a_whole_column_writes_them(
    tmp_path: Path, cells: list[str], number: str | None
) -> None:
    rows = "".join(f'x,"{cell}"\n' for cell in cells)
    found = surveyed(tmp_path, f"a,b\n{rows}").columns[1]
    assert (found.number and found.number.decimal + found.number.thousands) == number


def test_the_digits_of_numbers_with_a_comma_are_counted(tmp_path: Path) -> None:
    found = surveyed(tmp_path, 'a,b\nx,"1.234.567,5"\nx,"-0,125"\nx,12345678\n').columns[1]
    assert (found.type, found.before, found.scale) == (FieldType.DECIMAL, 8, 3)
    assert Survey.from_json(Survey(rows=3, columns=(found,)).as_json()).columns == (found,)


def test_in_a_spreadsheet_no_point_stands_between_thousands(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (("a", "b"), ("1.234,5", "1,5"), ("2,5", "2")):
        book.active.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    (tmp_path / "work").mkdir()
    found = survey(path, find_format(path, name=path.name).format, folder=tmp_path / "work").columns
    assert [column.type for column in found] == [FieldType.TEXT, FieldType.DECIMAL]
