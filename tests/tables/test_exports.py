"""Exports of tables: every row, exactly, in little memory, for whom it is granted."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from portal.accounts.permissions import Actor, Role
from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime
from portal.tables import files
from portal.tables.actions import Action
from portal.tables.exports import download_name
from portal.tables.files import FileFormat
from portal.tables.service import create_export
from portal.tables.tasks import EXPORT
from portal.tables.workbook import SHEET_ROWS
from portal.tabular.fields import Field, FieldType
from tests.browser_like import Browser
from tests.projects.people import People
from tests.tables.conftest import Execute

Ask = Callable[..., Job]
MANAGER = Role.EXPORT_MANAGER
KINDS = Kinds((EXPORT,))


@pytest.fixture
def engine(runtime: Runtime) -> JobEngine:
    return JobEngine(runtime=runtime, kinds=KINDS)


@pytest.fixture
def ask(runtime: Runtime) -> Ask:
    """`ask(actor, table, format)`: the job that was asked for."""

    def run(actor: Actor, table: str, file_format: FileFormat = FileFormat.CSV) -> Job:
        with runtime.sessions.begin() as session:
            return create_export(
                session,
                runtime=runtime,
                actor=actor,
                table=table,
                file_format=file_format,
                kinds=KINDS,
                waker=RedisWaker(runtime.redis),
                now=runtime.clock(),
            ).job

    return run


@pytest.fixture
def export(runtime: Runtime, engine: JobEngine, ask: Ask, people: People) -> Callable[..., Path]:
    """`export(table, format)`: the file that comes of it."""
    manager = people.make("exporter", MANAGER)

    def run(table: str, file_format: FileFormat = FileFormat.CSV) -> Path:
        job = ask(manager, table, file_format)
        assert perform(job.id, engine=engine) is JobState.SUCCEEDED
        with runtime.reads() as session:
            artifact = session.scalars(select(Artifact).where(Artifact.job_id == job.id)).one()
        return artifact_path(runtime.settings, artifact.id)

    return run


Export = Callable[..., Path]


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def workbook_at(path: Path) -> Any:
    return openpyxl.load_workbook(io.BytesIO(path.read_bytes()))


def test_a_csv_has_every_row_in_order_with_words_for_references(
    filled: None, export: Export
) -> None:
    header, *rows = read_csv(export("record"))
    assert header == [
        "id",
        "number",
        "office_id",
        "fee",
        "copies",
        "paid",
        "received",
        "entered",
        "state",
    ]
    assert len(rows) == 120
    assert rows[1] == ["2", "R-001", "S", "", "1", "", "", "", "open"]


def test_values_are_exported_exactly(execute: Execute, export: Export) -> None:
    execute(
        "CREATE TABLE t (id integer PRIMARY KEY, fee numeric(14, 2), day date, at timestamp,"
        " ok boolean, body text)",
        "INSERT INTO t VALUES (1, 123456789012.50, '2026-02-28', '2026-02-28 23:59:59', true,"
        " 'a;\"b\nc')",
    )
    _, row = read_csv(export("t"))
    assert row == ["1", "123456789012.50", "2026-02-28", "2026-02-28 23:59:59", "1", 'a;"b\nc']


def test_columns_by_formula_are_exported_too(execute: Execute, export: Export) -> None:
    execute(
        "CREATE TABLE t (a integer PRIMARY KEY, b integer GENERATED ALWAYS AS (a * 2) STORED)",
        "INSERT INTO t (a) VALUES (4)",
    )
    assert read_csv(export("t")) == [["a", "b"], ["4", "8"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "@SUM(A1)", "\t=1", "-2+3"])
def test_what_a_spreadsheet_would_compute_is_marked_in_csv(
    execute: Execute, export: Export, text: str
) -> None:
    execute("CREATE TABLE t (body varchar(20) PRIMARY KEY)", f"INSERT INTO t VALUES ('{text}')")
    assert read_csv(export("t"))[1] == [f"'{text}"]


def test_a_workbook_has_numbers_dates_and_texts_as_such(execute: Execute, export: Export) -> None:
    execute(
        "CREATE TABLE t (id integer PRIMARY KEY, fee numeric(10, 2), day date, body text,"
        " code varchar(20), big bigint)",
        "INSERT INTO t VALUES (1, 2.50, '2026-02-28', '=1+1', '007', 12345678901234567),"
        " (2, NULL, '1850-01-01', 'http://x.example', '', NULL)",
    )
    book = workbook_at(export("t", FileFormat.XLSX))
    header, first, second = book["Rows"].iter_rows()
    assert [cell.value for cell in header] == ["id", "fee", "day", "body", "code", "big"]
    assert [cell.data_type for cell in first] == ["n", "n", "d", "s", "s", "s"]
    assert [first[1].value, str(first[2].value)[:10]] == [2.5, "2026-02-28"]
    assert [first[3].value, first[4].value, first[5].value] == ["=1+1", "007", "12345678901234567"]
    assert [second[2].value, second[3].hyperlink] == ["1850-01-01", None]


def test_a_workbook_has_as_many_sheets_as_its_rows_need(tmp_path: Path) -> None:
    path = tmp_path / "long.xlsx"
    batches: Iterator[Any] = (
        [(n,) for n in range(start, start + 150_000)] for start in range(0, 1_200_000, 150_000)
    )
    field = Field(name="n", type=FieldType.INTEGER)
    written = files.write_file(
        path, FileFormat.XLSX, fields=[field], rows=batches, told=lambda _: None
    )
    assert written == 1_200_000
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if "worksheets/sheet" in name]
        second = archive.read("xl/worksheets/sheet2.xml")
    assert len(sheets) == 2
    assert second.count(b"<row ") == 1_200_000 - SHEET_ROWS + 1


@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.XLSX])
def test_an_empty_table_gives_the_header_alone(
    execute: Execute, export: Export, file_format: FileFormat
) -> None:
    execute("CREATE TABLE t (a integer PRIMARY KEY)")
    path = export("t", file_format)
    if file_format is FileFormat.CSV:
        assert read_csv(path) == [["a"]]
    else:
        assert [[c.value for c in row] for row in workbook_at(path)["Rows"]] == [["a"]]


def test_asking_twice_joins_and_another_format_is_another_job(
    filled: None, ask: Ask, people: People
) -> None:
    manager = people.make("exporter", MANAGER)
    first, again = ask(manager, "record"), ask(manager, "record")
    assert first.id == again.id
    assert ask(manager, "record", FileFormat.XLSX).id != first.id


def test_what_was_taken_away_is_refused_when_the_job_begins(
    filled: None, ask: Ask, people: People, grant: Callable[..., None], engine: JobEngine
) -> None:
    job = ask(people.make("exporter", MANAGER), "record")
    grant("record")
    assert perform(job.id, engine=engine) is JobState.FAILED


def test_a_role_without_the_grant_may_not_ask(
    filled: None, ask: Ask, people: People, grant: Callable[..., None]
) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.BROWSE))
    with pytest.raises(NotFoundError):
        ask(people.make("exporter", MANAGER), "record")
    with pytest.raises(ForbiddenError):
        ask(people.make("importer", Role.IMPORT_MANAGER), "record")


def test_the_download_ends_with_the_grant(
    filled: None,
    export: Export,
    sign_in: Callable[..., Browser],
    grant: Callable[..., None],
) -> None:
    path = export("record")
    browser = sign_in(MANAGER)
    assert browser.get(f"/artifacts/{path.name}").status_code == 200
    grant("record")
    assert browser.get(f"/artifacts/{path.name}").status_code == 404


def test_only_the_newest_exports_of_a_table_are_kept(
    filled: None, export: Export, runtime: Runtime
) -> None:
    paths = [export("record") for _ in range(runtime.settings.exports_kept + 1)]
    assert [path.exists() for path in paths] == [False] + [True] * runtime.settings.exports_kept


def test_an_export_manager_asks_on_the_page_and_finds_the_file_there(
    filled: None, export: Export, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(MANAGER)
    assert "record" in browser.get("/table-exports").text
    assert "No exports yet" in browser.get("/table-exports/record").text
    answer = browser.post("/table-exports/record", {"file_format": "xlsx"})
    assert answer.location == "/table-exports/record"
    assert "Queued" in browser.get("/table-exports/record").text
    path = export("record")
    assert path.name in browser.get("/table-exports/record").text
    assert browser.post("/table-exports/record", {"file_format": "pdf"}).status_code == 422
    assert browser.get("/table-exports/nothing").status_code == 404


def test_rows_of_a_table_that_one_may_not_see_are_exported_by_their_key(
    filled: None, export: Export, grant: Callable[..., None]
) -> None:
    grant("office")
    assert read_csv(export("record"))[2][2] == "2"


def test_a_file_with_words_of_another_table_is_for_those_who_may_know_them(
    filled: None, export: Export, sign_in: Callable[..., Browser], grant: Callable[..., None]
) -> None:
    path = export("record")
    grant("office")
    browser = sign_in(MANAGER)
    assert browser.get(f"/artifacts/{path.name}").status_code == 404
    assert path.name not in browser.get("/table-exports/record").text


def test_who_may_know_less_does_not_join_an_export_that_tells_more(
    filled: None, ask: Ask, people: People, grant: Callable[..., None]
) -> None:
    grant("office")
    of_admin = ask(people.make("anna", Role.ADMIN), "record")
    assert ask(people.make("exporter", MANAGER), "record").id != of_admin.id


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("office", "office-2026-11-21_130305Z.csv"),
        ("../a b/ü", "_a_b_ü-2026-11-21_130305Z.csv"),
        ("...", "table-2026-11-21_130305Z.csv"),
    ],
)
def test_the_download_is_named_after_table_and_time(table: str, name: str) -> None:
    moment = datetime(2026, 11, 21, 14, 3, 5, tzinfo=timezone(timedelta(hours=1)))
    assert download_name(table, FileFormat.CSV, moment) == name
