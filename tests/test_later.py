"""What is loaded when it is first used: it is there, and a worker is small without it."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from portal.later import later

PORTAL = Path(__file__).parents[1] / "portal"
NAMED = re.compile(r"\blater\(\"([\w.]+):(\w+)\"\)")
NAMES = sorted(
    {found.groups() for path in PORTAL.rglob("*.py") for found in NAMED.finditer(path.read_text())}
)
LARGE = ("arro3", "flask", "markdown_it", "nh3", "openpyxl", "python_calamine")
LARGE += ("xlsxwriter", "werkzeug")


@pytest.mark.parametrize(("module", "function"), NAMES)
def test_a_function_that_is_named_is_there(module: str, function: str) -> None:
    assert callable(getattr(import_module(module), function))


def test_a_function_is_called_as_if_it_had_been_imported() -> None:
    assert later("json:dumps")([1, 2], indent=None) == "[1, 2]"


def test_a_worker_does_not_load_what_few_jobs_need() -> None:
    code = "import sys, portal.assembly; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in LARGE if name in done.stdout.split()] == []
