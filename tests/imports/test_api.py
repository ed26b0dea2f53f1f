"""Imports for programs: a file sent with its order, and what came of it."""

import io
import json
from collections.abc import Collection
from typing import Any

import pytest
import schemathesis
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import User
from portal.accounts.permissions import Permission, Role
from portal.assembly import KINDS
from portal.imports.files import waiting_folder
from portal.jobs.engine import JobEngine
from portal.jobs.runner import perform
from portal.tables.actions import Action
from portal.tables.grants import set_grants
from tests.imports.scenes import Desk
from tests.web.programs import Program, make_secret

GOOD = "code,height\nA1,3\nB2,4\n"
BAD = "code,height\nA1,3\nB2,tall\n"


@pytest.fixture
def program(app: Flask, desk: Desk) -> Program:
    """One that may import, for somebody to whom all was granted."""
    with desk.runtime.sessions.begin() as session:
        set_grants(
            session,
            settings=desk.runtime.settings,
            actor=desk.actor,
            table="trunk",
            grants=frozenset((Role.IMPORT_MANAGER, a) for a in Action if a is not Action.EXPORT),
            now=desk.runtime.clock(),
        )
    return program_of(app, desk, "clara", scopes=[Permission.IMPORTS_RUN])


def program_of(app: Flask, desk: Desk, name: str, *, scopes: Collection[Permission]) -> Program:
    desk.person(name, Role.IMPORT_MANAGER)
    with desk.runtime.reads() as session:
        user = session.scalars(select(User).where(User.name == name)).one()
    return Program(app, make_secret(desk.runtime, user, scopes=scopes))


def send(program: Program, text: str = GOOD, name: str = "t.csv", **fields: Any) -> TestResponse:
    said = {"table": "trunk"} | fields
    data = {"file": (io.BytesIO(text.encode()), name), **said}
    return program.post("/api/imports", data=data, content_type="multipart/form-data")


def done(desk: Desk, program: Program, answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    told = json.loads(answer.data)
    perform(told["id"], engine=JobEngine(runtime=desk.runtime, kinds=KINDS))
    again = program.get(told["url"])
    assert again.status_code == 200
    return dict(json.loads(again.data))


def test_a_file_is_taken_and_its_job_told(desk: Desk, program: Program) -> None:
    answer = send(program)
    told = json.loads(answer.data)
    assert (answer.status_code, told["state"]) == (202, "queued")
    assert answer.headers["Location"] == told["url"] == f"/api/imports/{told['id']}"
    after = done(desk, program, answer)
    assert after["text"] == "Successfully imported 2 row(s)"
    assert (after["counts"]["created"], after["counts"]["total"]) == (2, 2)
    assert len(desk.rows("SELECT * FROM trunk")) == 2


def test_bad_rows_are_told_by_row_and_column(desk: Desk, program: Program) -> None:
    told = done(desk, program, send(program, BAD))
    assert told["state"] == "failed"
    assert told["text"].startswith("Errors occurred while importing the records")
    assert told["failing"][0]["row"] == 2
    assert list(told["failing"][0]["errors"]) == ["height"]
    assert desk.rows("SELECT * FROM trunk") == []


def test_columns_values_and_modes_are_said_by_fields(desk: Desk, program: Program) -> None:
    fields = {
        "mode": "upsert",
        "partial": "true",
        "map": json.dumps({"Kode": "code", "Note": ""}),
        "set": json.dumps({"height": "7"}),
        "key": json.dumps(["code"]),
        "delimiter": "semicolon",
    }
    told = done(desk, program, send(program, "Kode;Note\nA1;x\n", **fields))
    assert told["text"] == "Successfully imported 1 row(s)"
    assert desk.rows("SELECT code, height FROM trunk") == [("A1", 7)]


def test_a_dry_run_writes_nothing(desk: Desk, program: Program) -> None:
    told = done(desk, program, send(program, dry_run="true"))
    assert told["counts"]["created"] == 2
    assert desk.rows("SELECT * FROM trunk") == []


def test_the_same_file_again_is_a_warning(desk: Desk, program: Program) -> None:
    done(desk, program, send(program))
    told = json.loads(send(program).data)
    assert told["warning"].startswith("The same file was imported into this table on")


def test_what_becomes_of_table_and_format_is_told_by_the_job(desk: Desk, program: Program) -> None:
    assert done(desk, program, send(program, table="none"))["text"] == "Table does not exist: none"
    told = done(desk, program, send(program, name="t.txt"))
    assert told["text"] == "Unsupported file format: TXT"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": "replace"}, "mode: "),
        ({"map": "code"}, "map: "),
        ({"map": "[]"}, "map: "),
        ({"partial": "perhaps"}, "partial: "),
        ({"colour": "red"}, "colour: there is no such parameter."),
        ({"empty": json.dumps({"height": "zero"})}, "An empty cell means one of"),
    ],
)
def test_orders_that_make_no_sense_are_refused_in_words(
    desk: Desk, program: Program, fields: dict[str, str], said: str
) -> None:
    answer = send(program, **fields)
    assert answer.status_code == 422
    assert said in json.loads(answer.data)["error"]["message"]
    assert not waiting_folder(desk.runtime.settings).exists()


def test_without_a_file_nothing_is_asked_for(program: Program) -> None:
    data = {"table": "trunk"}
    answer = program.post("/api/imports", data=data, content_type="multipart/form-data")
    assert (answer.status_code, "file" in answer.text) == (422, True)
    assert (
        program.post("/api/imports", data="{}", content_type="application/json").status_code == 415
    )


def test_a_token_without_the_scope_imports_nothing(
    app: Flask, desk: Desk, program: Program
) -> None:
    other = program_of(app, desk, "olga", scopes=[])
    assert send(other).status_code == 403
    told = json.loads(send(program).data)
    assert other.get(told["url"]).status_code == 404


def test_what_is_not_granted_is_refused_before_the_file_is_kept(
    app: Flask, desk: Desk, program: Program
) -> None:
    with desk.runtime.sessions.begin() as session:
        set_grants(
            session,
            settings=desk.runtime.settings,
            actor=desk.actor,
            table="trunk",
            grants=frozenset({(Role.IMPORT_MANAGER, Action.UPDATE)}),
            now=desk.runtime.clock(),
        )
    assert send(program).status_code == 403
    assert not waiting_folder(desk.runtime.settings).exists()


def test_other_jobs_are_no_imports(desk: Desk, program: Program) -> None:
    assert program.get("/api/imports/" + "f" * 32).status_code == 404


def test_the_answer_is_what_the_file_says(app: Flask, desk: Desk, program: Program) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    told = done(desk, program, send(program, BAD))
    case = schema["/api/imports/{job_id}"]["GET"].Case(path_parameters={"job_id": told["id"]})
    case.call_and_validate(headers=program.headers)
