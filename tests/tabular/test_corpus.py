"""Each file of the corpus is found out, read and written back as it stands."""

import json
from pathlib import Path
from typing import Any

import pytest

from portal.tabular.formats import find_format
from portal.tabular.table import TableError
from tests.tabular.corpus.cases import Case, all_cases
from tests.tabular.delimited import cells, find, read, stored, written

CASES = all_cases()
SPECTRUM = Path(__file__).parent / "corpus" / "csv_spectrum"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test of this file puts its own file first: a folder for each would take longer."""
    return tmp_path_factory.mktemp("corpus")


every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_the_corpus_has_at_least_300_files() -> None:
    assert len({case.content for case in CASES}) >= 300


@every_case
def test_the_format_of_each_file_is_found(case: Case, folder: Path) -> None:
    found = find(folder, case.content, case.file_name).format
    assert case.content.decode(found.encoding) == case.content.decode(case.encoding)
    assert (found.delimiter, found.line_end) == (case.delimiter, case.line_end)
    assert {name: getattr(found, name) for name in case.finding} == case.finding


@every_case
def test_each_file_is_read_with_the_numbers_and_lines_of_its_rows(case: Case, folder: Path) -> None:
    assert read(stored(folder, case.content, case.file_name)) == (case.header, case.rows)


@pytest.mark.parametrize("case", [case for case in CASES if case.exact], ids=lambda case: case.name)
def test_each_file_is_written_back_byte_for_byte(case: Case, folder: Path) -> None:
    found = find(folder, case.content, case.file_name).format
    assert written([case.header, *cells(case.rows)], found) == case.content


@pytest.mark.parametrize(
    "path", sorted((SPECTRUM / "csvs").glob("*.csv")), ids=lambda path: path.stem
)
def test_csv_spectrum_is_read_as_its_json_says(path: Path) -> None:
    header, rows = read(path, find_format(path, name=path.name).format)
    records = [dict(zip(header, row, strict=True)) for row in cells(rows)]
    assert records == spectrum_records(path.stem)


def spectrum_records(name: str) -> list[dict[str, str]]:
    records = json.loads((SPECTRUM / "json" / f"{name}.json").read_text(encoding="utf-8"))
    if name == "location_coordinates":  # see README.md there
        return [records | {"Contact Phone Number": "2095257564"}]
    return records


def odd_files(kind: str) -> list[Path]:
    """The files that were made by hand, each with its JSON: read (`rows`) or refused (`error`)."""
    paths = sorted((Path(__file__).parent / "corpus" / "odd").glob("*"))
    return [path for path in paths if path.suffix != ".json" and kind in expected(path)]


def expected(path: Path) -> dict[str, Any]:
    beside: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return beside


@pytest.mark.parametrize("path", odd_files("rows"), ids=lambda path: path.stem)
def test_a_file_made_by_hand_is_read_as_its_json_says(path: Path) -> None:
    wanted = expected(path)
    found = find_format(path, name=path.name).format
    assert {name: getattr(found, name) for name in wanted["format"]} == wanted["format"]
    header, rows = read(path, found)
    assert header == wanted["header"]
    assert [list(row) for row in rows] == wanted["rows"]


@pytest.mark.parametrize("path", odd_files("error"), ids=lambda path: path.stem)
def test_a_faulty_file_made_by_hand_is_refused_with_the_place(path: Path) -> None:
    wanted = expected(path)
    with pytest.raises(TableError, match=wanted["error"]) as caught:
        read(path)
    assert (caught.value.line, caught.value.column) == (wanted["line"], wanted["column"])
