"""The program as a whole: rights hold in the shell, and wrong input gets one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHELL = (sys.executable, "-m", "portal.cli")


def run(data: Path, *arguments: str | bytes, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if "PORTAL" not in name}
    return subprocess.run(
        [*SHELL, *arguments],
        env=environment | {"PORTAL_DATA": str(data)} | variables,
        input="a-Long-enough-Pass-1\n",
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_who_is_no_administrator_writes_no_backup(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup.tar"
    run(data, "users", "add", "member", "--role", "member", "--password-stdin")
    result = run(data, "--as", "member", "backup", str(file))
    assert (result.returncode, file.exists()) == (1, False)
    assert "only an administrator" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("projects", "show", b"\xff"), ("projects", "list", "--text", b"\xff")]
    + [("--as", b"\xff", "jobs", "list"), ("jobs", "show", b"\xff\xff\xff\xff")],
    ids=repr,
)
def test_arguments_that_are_no_text_get_a_sentence(
    tmp_path: Path, arguments: tuple[str | bytes, ...]
) -> None:
    assert "Traceback" not in run(tmp_path / "data", *arguments).stderr


def test_a_database_that_is_none_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "portal.sqlite").write_text("This is a letter, not a database. " * 100)
    result = run(tmp_path, "jobs", "list")
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.stderr
