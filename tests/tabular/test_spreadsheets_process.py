"""The process that reads a workbook keeps to its limits, and is gone when it is not needed."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from portal.tabular.formats import Format
from portal.tabular.spreadsheets import Bounds, count_sheet, open_sheet, sheet_names
from portal.tabular.table import TableError
from tests.tabular.workbook_making import WORKBOOKS, make_ods, make_xlsx, text_row
from tests.waiting import wait_until

MB = 1024**2
XLSX = Format(kind="xlsx")
CONFINED = (
    "import os, socket, sys\n"
    "from portal.tabular.sheets.confinement import confine\n"
    "confine(parent=os.getppid(), memory=200 * 1024**2, cpu_seconds=1)\n"
)
READ = (
    "import sys\n"
    "from pathlib import Path\n"
    "from portal.tabular.formats import Format\n"
    "from portal.tabular.spreadsheets import open_sheet\n"
    "from tests.memory import peak_memory\n"
    "path = Path(sys.argv[1])\n"
    "with open_sheet(path, Format(kind=path.suffix[1:])) as table:\n"
)


def python(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = text_row("a", "b") + "<row><c><v>1</v></c><c><v>0.5</v></c></row>" * 300_000
    return make_xlsx(tmp_path_factory.mktemp("long") / "long.xlsx", rows, packed=False)


@pytest.fixture
def readers() -> set[int]:
    """The process ids of this test's children before it."""
    return {child.pid for child in psutil.Process().children()}


def new_children(readers: set[int]) -> list[int]:
    return [child.pid for child in psutil.Process().children() if child.pid not in readers]


@pytest.mark.parametrize(
    "act",
    [
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 9))",
        "open('/etc/hostname')",
        "open('/tmp/new', 'w')",
        "os.pipe()",
    ],
)
def test_nothing_can_be_opened_in_confinement(act: str) -> None:
    done = python(CONFINED + f"try:\n {act}\nexcept OSError as error:\n print(error.errno)")
    assert done.stdout == "24\n"


def test_confinement_has_no_network_where_the_kernel_allows_it() -> None:
    code = "print(os.readlink('/proc/self/ns/net'), flush=True)\n"
    before, after = python("import os\n" + code + CONFINED + code).stdout.split()
    if os.geteuid() == 0:
        assert before != after


def test_confinement_bounds_memory_and_time() -> None:
    assert "MemoryError" in python(CONFINED + "bytes(300 * 1024**2)").stderr
    assert python(CONFINED + "while True: pass").returncode == -signal.SIGXCPU


def test_nothing_of_the_environment_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, long: Path, readers: set[int]
) -> None:
    monkeypatch.setenv("PORTAL_SECRET_KEY", "canary")
    with open_sheet(long, XLSX):
        (child,) = new_children(readers)
        assert "canary" not in Path(f"/proc/{child}/environ").read_text()


def test_leaving_early_ends_the_process(long: Path, readers: set[int]) -> None:
    with open_sheet(long, XLSX) as table:
        assert next(table.rows) == (1, 2, ["1", "0.5"])
        assert len(new_children(readers)) == 1
    assert new_children(readers) == []


def test_leaving_the_count_early_ends_the_process(long: Path, readers: set[int]) -> None:
    with closing(count_sheet(long, XLSX)) as counts:
        assert next(counts) < 300_000
        assert len(new_children(readers)) == 1
    assert new_children(readers) == []


def test_an_error_of_the_caller_ends_the_process(long: Path, readers: set[int]) -> None:
    with pytest.raises(KeyError), open_sheet(long, XLSX):
        raise KeyError
    assert new_children(readers) == []


def test_the_process_ends_with_its_parent(long: Path) -> None:
    code = READ + "  print(next(table.rows), flush=True)\n  sys.stdin.read()\n"
    command = [sys.executable, "-c", code, str(long)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        parent.stdout.readline()
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_process_that_is_killed_is_told_from_the_end_of_the_rows(
    long: Path, readers: set[int]
) -> None:
    with open_sheet(long, XLSX) as table:
        next(table.rows)
        os.kill(new_children(readers)[0], signal.SIGKILL)
        with pytest.raises(TableError, match="computing"):
            list(table.rows)


def test_computing_is_bounded(long: Path) -> None:
    with (
        open_sheet(long, XLSX, bounds=Bounds(cpu_seconds=1)) as table,
        pytest.raises(TableError, match="takes over 1 s of computing"),
    ):
        for _row in table.rows:
            pass


def test_waiting_is_bounded(long: Path, readers: set[int]) -> None:
    with pytest.raises(TableError, match="took over 0 s"):
        sheet_names(long, "xlsx", bounds=Bounds(wait_seconds=0.001))
    assert new_children(readers) == []


def test_memory_is_bounded_without_harm_to_the_reader() -> None:
    for _time in range(2):
        with (
            pytest.raises(TableError, match="needs more than 100 MB of memory"),
            open_sheet(WORKBOOKS / "far.xls", Format(kind="xls"), bounds=Bounds(memory=100 * MB)),
        ):
            pass
    assert sheet_names(WORKBOOKS / "staff.xls", "xls")[0] == "Staff"


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_neither_side_needs_more_memory_for_more_rows(tmp_path: Path, kind: str) -> None:
    few, many = (make_long(tmp_path / f"{rows}.{kind}", rows) for rows in (5_000, 30_000))
    code = READ + ("  count = sum(1 for _ in table.rows)\n  print(count, peak_memory())")
    (_, least), (count, most) = (map(int, python(code, str(p)).stdout.split()) for p in (few, many))
    assert count == 30_000
    assert most - least < 4 * MB
    with open_sheet(many, Format(kind=kind), bounds=Bounds(memory=150 * MB)) as table:
        assert sum(1 for _row in table.rows) == 30_000


def make_long(path: Path, rows: int) -> Path:
    if path.suffix == ".xlsx":
        row = '<row><c t="inlineStr"><is><t>some text</t></is></c><c><v>1.5</v></c></row>'
        return make_xlsx(path, text_row("a", "b") + row * rows, packed=False)
    text = '<table:table-cell office:value-type="string"><text:p>ab</text:p></table:table-cell>'
    return make_ods(path, f"<table:table-row>{text}</table:table-row>" * (rows + 1))
