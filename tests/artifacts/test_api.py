"""Files for programs: the same bytes by the same rights, with a token."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts.models import User
from portal.artifacts.models import Artifact
from portal.artifacts.service import Owner
from portal.projects.service import create_project
from portal.runtime import Runtime
from tests.projects.people import People
from tests.web.programs import Program, make_secret

Open = Callable[[str], Program]
BODY = b"0123456789"


@pytest.fixture
def program(app: Flask, runtime: Runtime) -> Open:
    """`program(name)`: a program with a token of a new user; `m1` has the project `p1`."""
    people = People(runtime)

    def open_program(name: str) -> Program:
        actor = people.make(name)
        with runtime.sessions.begin() as session:
            if name == "m1":
                create_project(
                    session, actor=actor, project_id="p1", title="P1", now=runtime.clock()
                )
            user = session.get_one(User, actor.user_id)
        return Program(app, make_secret(runtime, user))

    return open_program


@pytest.fixture
def url(make_artifact: Callable[..., Artifact]) -> str:
    made = make_artifact(BODY, owner=Owner(kind="project", id="p1"), name="Größe.zip")
    return f"/api/artifacts/{made.id}"


def test_a_program_fetches_a_file(program: Open, url: str) -> None:
    response = program("m1").get(url)
    assert response.status_code == 200
    assert response.data == BODY
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_program_fetches_a_part(program: Open, url: str) -> None:
    response = program("m1").get(url, headers={"Range": "bytes=4-"})
    assert response.status_code == 206
    assert response.data == BODY[4:]


def test_a_part_that_is_not_there_is_416(program: Open, url: str) -> None:
    response = program("m1").get(url, headers={"Range": "bytes=99-"})
    assert response.status_code == 416


def test_a_stranger_fetches_nothing(app: Flask, url: str) -> None:
    assert Program(app, None).get(url).status_code == 401


def test_a_file_of_others_is_not_there(program: Open, url: str) -> None:
    program("m1")
    response = program("m2").get(url)
    assert response.status_code == 404
    assert response.json["error"]["message"]


def test_each_answer_to_the_headers_of_a_download_is_in_the_openapi_file(
    program: Open, url: str
) -> None:
    asking = program("m1")
    told = asking.get("/api/openapi.json").json["paths"]["/api/artifacts/{artifact_id}"]["get"]
    etag = asking.get(url).headers["ETag"]
    part = asking.get(url, headers={"Range": "bytes=4-"})
    same = asking.get(url, headers={"If-None-Match": etag})
    assert [part.status_code, same.status_code] == [206, 304]
    assert {"200", "206", "304", "416"} <= set(told["responses"])
    assert not {"304", "416"} & {s for s, one in told["responses"].items() if "content" in one}
