"""`portal imports` in the shell: what is said, as words and as JSON, and how it exits."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from portal.assembly import KINDS, processors_for
from portal.imports.commands import imports
from portal.jobs.wake import RedisWaker
from portal.rows.processors import Mode
from portal.rows.profiles import save_profile
from portal.rows.treatment import Treatment
from portal.tabular.rules import Case, Rules
from tests.datacenter.shell import Shell
from tests.imports.scenes import Desk
from tests.working import working

GOOD = "code,height\na,1\nb,2\n"


@pytest.fixture
def shell(desk: Desk) -> Shell:
    return Shell(
        runtime=desk.runtime,
        settings=desk.runtime.settings,
        kinds=KINDS,
        processors=processors_for(desk.runtime),
        waker=RedisWaker(desk.runtime.redis),
    )


def run(shell: Shell, *words: str | Path) -> Result:
    with working(shell):
        return CliRunner().invoke(imports, [str(word) for word in words], obj=shell)


def answer(shell: Shell, *words: str | Path) -> Any:
    shell.json = True
    try:
        return json.loads(run(shell, *words).stdout)
    finally:
        shell.json = False


@pytest.fixture
def trunk(tmp_path: Path) -> Path:
    (tmp_path / "trunk.csv").write_text(GOOD)
    return tmp_path / "trunk.csv"


def bring(shell: Shell, file: Path, *words: str) -> Result:
    return run(shell, "run", file, "--table", "trunk", "--wait", *words)


def test_an_import_that_goes_well_says_so_and_exits_with_0(shell: Shell, trunk: Path) -> None:
    result = bring(shell, trunk)
    assert result.exit_code == 0
    assert result.stdout == "Successfully imported 2 row(s)\n"


def test_an_import_that_fails_tells_the_rows_and_exits_with_1(shell: Shell, trunk: Path) -> None:
    bring(shell, trunk)
    result = bring(shell, trunk)
    assert result.exit_code == 1
    assert result.stdout.startswith("Errors occurred while importing the records\n    1: Got a ")
    assert "Warning: The same file was imported into this table on " in result.stderr


def test_what_is_refused_at_once_exits_with_2(shell: Shell, desk: Desk, trunk: Path) -> None:
    shell.actor = desk.person("karl").actor
    result = bring(shell, trunk)
    assert result.exit_code == 2
    assert result.stderr == "Error: You may not import files into tables.\n"


def test_a_file_or_a_path_must_be_given(shell: Shell, trunk: Path) -> None:
    assert run(shell, "run", "--table", "trunk").exit_code == 2
    assert bring(shell, trunk, "--path", "/x").exit_code == 2


def test_a_job_is_told_to_machines(shell: Shell, trunk: Path) -> None:
    told = answer(shell, "run", trunk, "--table", "trunk", "--wait")
    assert told["state"] == "succeeded"
    assert told["result"]["created"] == 2
    assert told["warning"] == ""


def test_a_plan_is_shown_and_applied_and_undone(shell: Shell, desk: Desk, trunk: Path) -> None:
    told = answer(shell, "run", trunk, "--table", "trunk", "--dry-run", "--wait")
    assert desk.rows("SELECT * FROM trunk") == []
    assert answer(shell, "show", told["job"])["may_apply"] is True
    applied = answer(shell, "apply", told["job"], "--wait")
    assert applied["text"] == "Successfully imported 2 row(s)"
    assert answer(shell, "show", applied["job"])["may_undo"] is True
    undone = run(shell, "undo", applied["result"]["batch"], "--wait")
    assert undone.stdout == "2 row(s) as they were before; 0 changed since and kept\n"
    assert desk.rows("SELECT * FROM trunk") == []


def test_a_plan_shows_cells_before_and_after(shell: Shell, trunk: Path, tmp_path: Path) -> None:
    bring(shell, trunk)
    (tmp_path / "more.csv").write_text("code,height\na,10\nb,tall\n")
    words = ("run", tmp_path / "more.csv", "--table", "trunk", "--mode", "update", "--dry-run")
    told = answer(shell, *words, "--wait")
    seen = run(shell, "show", told["job"]).stdout
    assert "row 1\theight\t1 → 10" in seen
    assert "row 2\theight: " in seen


def test_imports_are_listed_the_newest_first(shell: Shell, trunk: Path, tmp_path: Path) -> None:
    bring(shell, trunk)
    (tmp_path / "dummy.txt").write_text("dummy")
    run(shell, "run", tmp_path / "dummy.txt", "--table", "nowhere", "--wait")
    newest, oldest = answer(shell, "list")
    assert newest["text"] == "Table does not exist: nowhere"
    assert newest["batch"] is None
    assert oldest["batch"]["created"] == 2
    assert oldest["text"] == "Successfully imported 2 row(s)"
    assert [line["table"] for line in answer(shell, "list", "--table", "trunk")] == ["trunk"]


def test_columns_are_mapped_left_out_and_set(shell: Shell, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("Kode,Note\na,x\n")
    words = ("--map", "Kode=code", "--map", "Note=", "--set", "height=7")
    assert bring(shell, tmp_path / "other.csv", *words).exit_code == 0
    assert desk.rows("SELECT code, height FROM trunk") == [("a", 7)]


def test_a_column_that_nobody_mapped_is_still_an_extra_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("Kode,Note\na,x\n")
    result = bring(shell, tmp_path / "other.csv", "--map", "Kode=code")
    assert result.stdout == "Incoming dataset describes extra columns: Note\n"


@pytest.mark.parametrize(("word", "height"), [("null", None), ("keep", 1)])
def test_empty_cells_mean_what_is_said(
    shell: Shell, desk: Desk, trunk: Path, tmp_path: Path, word: str, height: int | None
) -> None:
    bring(shell, trunk)
    (tmp_path / "empty.csv").write_text("code,height\na,\n")
    words = ("--mode", "update", "--empty", f"height={word}")
    assert bring(shell, tmp_path / "empty.csv", *words).exit_code == 0
    assert desk.rows("SELECT height FROM trunk WHERE code = 'a'") == [(height,)]


def test_a_key_that_names_no_row_is_refused(shell: Shell, trunk: Path) -> None:
    result = bring(shell, trunk, "--mode", "update", "--key", "height")
    assert result.exit_code == 1
    assert "does not name one row" in result.stdout


@pytest.mark.parametrize("words", [("--map", "x"), ("--empty", "height=never"), ("--set", "=1")])
def test_wrong_words_are_refused(shell: Shell, trunk: Path, words: tuple[str, str]) -> None:
    result = bring(shell, trunk, *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("form", "header"), [("csv", "id,code,height"), ("tsv", "id\tcode\theight")]
)
def test_templates_have_the_columns(shell: Shell, tmp_path: Path, form: str, header: str) -> None:
    output = tmp_path / f"trunk-template.{form}"
    assert run(shell, "template", "trunk", "--format", form, "--output", output).exit_code == 0
    assert output.read_text("utf-8-sig").splitlines() == [header]


def test_a_workbook_offers_the_rows_that_are_referred_to(
    shell: Shell, desk: Desk, tmp_path: Path
) -> None:
    desk.run("trunk.csv", GOOD, table="trunk")
    output = tmp_path / "branch.xlsx"
    run(shell, "template", "branch", "--format", "xlsx", "--output", output)
    rules = load_workbook(output).active.data_validations.dataValidation
    assert '"a,b"' in [rule.formula1 for rule in rules]


def test_a_filled_template_with_descriptions_is_imported(
    shell: Shell, desk: Desk, tmp_path: Path
) -> None:
    output = tmp_path / "trunk.csv"
    run(shell, "template", "trunk", "--output", output, "--described")
    output.write_bytes(output.read_bytes() + b",a,1\r\n")
    assert bring(shell, output).exit_code == 0
    assert desk.rows("SELECT code, height FROM trunk") == [("a", 1)]


def test_there_is_no_template_of_a_table_that_is_not_there(shell: Shell, tmp_path: Path) -> None:
    result = run(shell, "template", "nowhere", "--output", tmp_path / "x.csv")
    assert (result.exit_code, result.stderr) == (2, "Error: Table does not exist: nowhere\n")


def test_a_saved_mapping_is_used_with_what_it_says_of_cells(
    shell: Shell, desk: Desk, tmp_path: Path
) -> None:
    with desk.runtime.sessions.begin() as session:
        save_profile(
            session,
            name="Survey",
            header=["Kode", "Tall"],
            processor="table:trunk",
            mode=Mode.CREATE,
            columns=["code", "height"],
            treatment=Treatment(rules={"code": Rules(case=Case.UPPER)}),
            actor=desk.actor,
            now=desk.runtime.clock(),
        )
    (tmp_path / "survey.csv").write_text("Kode,Tall\na,1\n")
    assert bring(shell, tmp_path / "survey.csv", "--profile", "Survey").exit_code == 0
    assert desk.rows("SELECT code, height FROM trunk") == [("A", 1)]


def test_a_saved_mapping_for_another_header_is_refused_by_the_job(
    shell: Shell, desk: Desk, trunk: Path
) -> None:
    with desk.runtime.sessions.begin() as session:
        save_profile(
            session,
            name="Survey",
            header=["Kode"],
            processor="table:trunk",
            mode=Mode.CREATE,
            columns=["code"],
            actor=desk.actor,
            now=desk.runtime.clock(),
        )
    result = bring(shell, trunk, "--profile", "Survey")
    assert result.exit_code == 1
    assert result.stdout == "The mapping 'Survey' is for files with another header.\n"


def test_an_import_of_good_rows_is_asked_to_pause(shell: Shell, desk: Desk, trunk: Path) -> None:
    told = answer(shell, "run", trunk, "--table", "trunk", "--partial", "--wait")
    desk.begin(told["job"])
    batch = told["result"]["batch"]
    assert answer(shell, "pause", told["job"]) == {"batch": batch, "pausing": True}
    assert desk.batch(desk.job(told["job"])).pause_asked


@pytest.mark.parametrize("more", [("--partial",), ()], ids=["done", "whole"])
def test_what_cannot_rest_is_refused_in_words(
    shell: Shell, desk: Desk, trunk: Path, more: tuple[str, ...]
) -> None:
    told = answer(shell, "run", trunk, "--table", "trunk", *more, "--wait")
    if not more:
        desk.begin(told["job"])
    refused = run(shell, "pause", told["job"])
    assert refused.exit_code == 2
    assert "paused" in refused.output


def test_an_import_that_is_done_has_nothing_to_go_on_with(shell: Shell, trunk: Path) -> None:
    told = answer(shell, "run", trunk, "--table", "trunk", "--partial", "--wait")
    gone_on = answer(shell, "go-on", told["job"], "--wait")
    assert (gone_on["state"], gone_on["result"]["created"]) == ("succeeded", 2)
