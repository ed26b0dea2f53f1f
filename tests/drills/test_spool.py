"""Killed at any instruction of its code, a spool has each file in exactly one place."""

import subprocess
import sys
from pathlib import Path


def test_a_crash_at_any_instruction_leaves_each_file_in_one_place(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.drills.spool_process", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    lines = ended.stdout.splitlines()
    assert len(lines) == 1, lines[:10]
    instructions, said = lines[0].split(" ", 1)
    assert int(instructions) > 300
    assert said == "instructions, ended with 0"
