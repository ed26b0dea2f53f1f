"""No input crashes the finding or the reading, or takes long; what is read is what `csv` reads.

FUZZ_INPUTS says how many inputs each of the parsers gets; 20,000 else.
"""

import codecs
import csv
import io
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.errors import InvalidError
from portal.tabular.decoding import MARK
from portal.tabular.dialect import DELIMITERS, LINE_ENDS, QUOTINGS
from portal.tabular.encoding import ENCODINGS
from portal.tabular.formats import Format, find_format
from portal.tabular.reading import open_table, preview
from portal.tabular.table import Row, TableError
from portal.tabular.writing import TableWriter
from tests.tabular.fuzzing import hang_detector, odd_inputs, watch

INPUTS = int(os.environ.get("FUZZ_INPUTS", "20000"))
SEEDS = range(4)
EACH = INPUTS // len(SEEDS)
MEMORY = Path("/dev/shm")
pytestmark = pytest.mark.timeout(max(600, INPUTS // 20))


@pytest.fixture
def path() -> Iterator[Path]:
    """A file in memory: writing a million to a disk takes longer than reading them."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder) / "odd.csv"


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_found_can_be_read_or_is_refused_in_words(seed: int, path: Path) -> None:
    refused = 0
    with hang_detector():
        for content in odd_inputs(seed, EACH):
            watch()
            path.write_bytes(content)
            try:
                finding = find_format(path, name="odd.csv")
            except InvalidError:
                refused += 1
                continue
            assert 0 <= finding.encoding_confidence <= 1
            assert 0 <= finding.dialect_confidence <= 1
            assert_read_as_csv_does(path, content, finding.format)
    assert refused < EACH / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_format_is_chosen_a_file_is_read_or_refused_in_words(
    seed: int, path: Path
) -> None:
    source = random.Random(seed)
    with hang_detector():
        for content in odd_inputs(seed + 100, EACH):
            watch()
            path.write_bytes(content)
            fmt = random_format(source)
            assert_read_as_csv_does(path, content, fmt)
            rows = read_as_far(path, fmt, restore=True)[1]
            assert preview(path, fmt, rows=3).rows == tuple(rows[:3])


def random_format(source: random.Random) -> Format:
    while True:
        try:
            return Format(
                encoding=source.choice([*ENCODINGS, *["utf-8"] * 20]),
                delimiter=source.choice(DELIMITERS),
                quote=source.choice(['"', '"', "'", ""]),
                doubled=source.random() < 0.8,
                line_end=source.choice(LINE_ENDS),
                quoting=source.choice(QUOTINGS),
                skip_space=source.random() < 0.1,
            )
        except InvalidError:
            continue


def assert_read_as_csv_does(path: Path, content: bytes, fmt: Format) -> None:
    """Where `csv` reads the whole text without a fault, the rows are the same; else refused."""
    expected = as_csv_reads(content, fmt)
    found, rows, fault = read_all(path, fmt)
    if fault is not None:
        assert expected is None or "Double headers" in fault or "is empty" in fault
        return
    assert expected is not None
    headers = [[cell.lstrip(MARK) for cell in row[:1]] + row[1:] for _, row in expected]
    first = next(place for place, row in enumerate(headers) if any(map(str.strip, row)))
    assert found == headers[first]
    assert [(line, cells) for _, line, cells in rows] == expected[first + 1 :]
    assert [number for number, _, _ in rows] == list(range(1, len(rows) + 1))
    assert_comes_back(path, found, rows, fmt)


def as_csv_reads(content: bytes, fmt: Format) -> list[tuple[int, list[str]]] | None:
    """Each row with its line; None where the text has a fault."""
    try:
        text = content.decode(fmt.encoding).lstrip(MARK)
    except UnicodeDecodeError:
        return None
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    if "\0" in text or (fmt.encoding in ("utf-16", "utf-32") and not marked):
        return None
    first = 1
    stream = io.StringIO(text, newline="")
    if fmt.sep_line:
        stream.readline()
        first = 2
    options = fmt.dialect.options() | {"strict": True, "doublequote": True}
    reader = csv.reader(stream, **options)
    rows, line = [], first
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + first
    except csv.Error:
        return None
    return rows


def read_all(path: Path, fmt: Format) -> tuple[list[str], list[Row], str | None]:
    header, rows, fault = read_as_far(path, fmt)
    if fault is not None:
        assert str(fault)
        assert fault.line is None or fault.line >= 1
        assert fault.column is None or fault.column >= 1
        assert fault.line is None or all(line <= fault.line for _, line, _ in rows)
    return header, rows, None if fault is None else str(fault)


def read_as_far(
    path: Path, fmt: Format, *, restore: bool = False
) -> tuple[list[str], list[Row], TableError | None]:
    header: list[str] = []
    rows: list[Row] = []
    try:
        with open_table(path, fmt, restore=restore) as table:
            header = table.header
            rows.extend(table.rows)
    except TableError as fault:
        return header, rows, fault
    return header, rows, None


def assert_comes_back(path: Path, header: list[str], rows: list[Row], fmt: Format) -> None:
    """What is written is read as the same cells, or the format cannot hold them and says so."""
    stream = io.BytesIO()
    try:
        TableWriter(stream, fmt).write_many([header, *(cells for _, _, cells in rows)])
    except InvalidError:
        return
    path.write_bytes(stream.getvalue())
    again_header, again, fault = read_all(path, fmt)
    assert fault is None
    assert again_header == header
    lone = [] if not fmt.quote else [""]  # without quotes, one empty cell is an empty line
    assert [cells for _, _, cells in again] == [
        lone if cells == [""] else cells for _, _, cells in rows
    ]
