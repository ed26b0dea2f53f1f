"""What the papers say is true: dependencies are decided, commands exist, links lead somewhere."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from portal.cli import portal

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAPERS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "docs" / "operations.md"]
LINK = re.compile(r"\]\(([^)#:]+)\)")
COMMAND = re.compile(r"`portal ([a-z]+)(?: ([a-z-]+)\b)?")


def dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [re.split(r"[^\w-]", line, maxsplit=1)[0] for line in project["dependencies"]]


@pytest.mark.parametrize("name", dependencies())
def test_each_dependency_is_named_in_a_decision(name: str) -> None:
    text = " ".join(path.read_text() for path in DECISIONS).lower()
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_context_decision_and_consequence(path: Path) -> None:
    heads = re.findall(r"^## (\w+)", path.read_text(), re.MULTILINE)
    assert heads == ["Context", "Decision", "Consequence"]


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_links_between_papers_lead_somewhere(path: Path) -> None:
    dead = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert dead == []


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_the_shell_has_the_commands_that_papers_name(path: Path) -> None:
    for name, below in COMMAND.findall(path.read_text()):
        command = portal.commands[name]
        if below and isinstance(command, click.Group):
            assert below in command.commands, f"portal {name} {below}"


def test_operations_name_only_settings_that_exist() -> None:
    readme = set(re.findall(r"PORTAL_\w+", (ROOT / "README.md").read_text()))
    operations = set(re.findall(r"PORTAL_\w+", (ROOT / "docs" / "operations.md").read_text()))
    assert operations <= readme
