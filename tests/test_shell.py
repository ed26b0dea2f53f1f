"""The program as a whole: rights hold in the shell, and wrong input gets one sentence."""

import json
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
    + [("--as", b"\xff", "jobs", "list"), ("jobs", "show", b"\xff\xff\xff\xff")]
    + [("datacenter", "preview", b"\xff.csv"), ("datacenter", "logs", b"\xff")]
    + [("datacenter", "process", b"\xff", "--processor", "users", "--mode", "create")],
    ids=repr,
)
def test_arguments_that_are_no_text_get_a_sentence(
    tmp_path: Path, arguments: tuple[str | bytes, ...]
) -> None:
    assert "Traceback" not in run(tmp_path / "data", *arguments).stderr


def test_a_refused_upload_ends_with_1_and_the_reason(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "people.csv"
    file.write_text("name\nanna\n")
    assert run(data, "datacenter", "put", str(file)).returncode == 0
    again = run(data, "datacenter", "put", str(file))
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "Error: File with same name was uploaded earlier\n"


def test_a_file_is_asked_to_be_processed_while_no_portal_runs(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "people.csv"
    file.write_text("name\nanna\n")
    run(data, "datacenter", "put", str(file))
    words = ("datacenter", "process", "people.csv", "--processor", "users", "--mode", "create")
    result = run(data, *words, "--json")
    assert (result.returncode, json.loads(result.stdout)["state"]) == (0, "queued")


def test_a_database_that_is_none_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "portal.sqlite").write_text("This is a letter, not a database. " * 100)
    result = run(tmp_path, "jobs", "list")
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.stderr
