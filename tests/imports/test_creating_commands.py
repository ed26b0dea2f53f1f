"""`portal imports create-table` in the shell."""

from pathlib import Path

import pytest

from portal.jobs.models import Job
from tests.imports.scenes import Desk
from tests.imports.test_commands import Shell, answer, run, shell

__all__ = ["shell"]
TEXT = "Code,Größe,Fee,Note\n01,5,1.50,\n02,5,2.25,x\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Price list.csv"
    path.write_text(TEXT)
    return path


def test_a_dry_run_says_what_the_table_would_be(shell: Shell, desk: Desk, file: Path) -> None:
    said = run(shell, "create-table", file, "--dry-run")
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines() == [
        "Table price_list for 2 row(s), by code",
        "Code\tcode\ttext\tkey",
        "Größe\tgroesse\tinteger\trequired",
        "Fee\tfee\tdecimal(15,2)\trequired",
        "Note\tnote\ttext",
    ]
    with desk.runtime.reads() as session:
        assert session.query(Job).count() == 0


def test_a_table_is_made_and_filled(shell: Shell, desk: Desk, file: Path) -> None:
    said = run(shell, "create-table", file, "--wait")
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines() == [
        "The table 'price_list' was created.",
        "Successfully imported 2 row(s)",
    ]
    assert desk.rows("SELECT code, groesse FROM price_list ORDER BY code") == [("01", 5), ("02", 5)]


def test_what_is_proposed_can_be_changed(shell: Shell, file: Path) -> None:
    words = ("--table", "prices", "--name", "Fee=price", "--type", "Fee=decimal(8,3)", "--key", "-")
    more = ("--optional", "Code", "--leave-out", "Note", "--type", "Größe=text")
    said = answer(shell, "create-table", file, "--dry-run", *words, *more)
    assert (said["table"], said["key"], said["rows"]) == ("prices", ["id"], 2)
    assert [(one["name"], one["type"], one["required"]) for one in said["columns"]] == [
        ("code", "text", False),
        ("groesse", "text", True),
        ("price", "decimal(8,3)", True),
        (None, "text", False),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--table", "trunk"), "There is a table or view 'trunk' already"),
        (("--name", "Fee=select"), "Fee: 'select' is a word of the database's own language"),
        (("--type", "Fee=money"), "'money' is no type; there are text|integer|"),
        (("--type", "Nothing=text"), "The file has no column 'Nothing'"),
        (("--sheet", "x", "--encoding", "klingon"), "'klingon' is no encoding"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    shell: Shell, file: Path, words: tuple[str, ...], said: str
) -> None:
    refused = run(shell, "create-table", file, *words)
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_how_numbers_are_written_is_found_and_can_be_said(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "fees.csv"
    file.write_text("code;fee\nN1;1.234,50\nS1;12,00\n")
    said = run(shell, "create-table", file, "--dry-run")
    assert said.stdout.splitlines()[2] == "fee\tfee\tdecimal(15,2)\trequired\tnumbers 1.234,56"
    changed = answer(shell, "create-table", file, "--dry-run", "--number", "fee=1'234,56")
    assert changed["columns"][1]["written"] == "numbers 1'234,56"
    odd = run(shell, "create-table", file, "--dry-run", "--number", "fee=1_234")
    assert odd.exit_code == 2
    assert "'1_234' is no way to write 1234.56; there are 1234.56, 1,234.56" in odd.stderr
