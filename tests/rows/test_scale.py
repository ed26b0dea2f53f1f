"""Ten times the rows: memory stays flat."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FEW, MANY = 8_000, 80_000
SLACK = 12_000_000


def memory(folder, *task):
    folder.mkdir()
    command = [sys.executable, "-m", "tests.rows.memory_process", str(folder), *map(str, task)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", ["run", "plan", "undo"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path, task):
    few = memory(tmp_path / "few", "table", task, FEW)
    many = memory(tmp_path / "many", "table", task, MANY)
    assert many < few + SLACK
    assert many < 150_000_000
