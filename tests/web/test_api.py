"""The rules that hold for every address below /api: tokens only, JSON only, errors in words."""

import json

import pytest
from flask import Flask, Response, abort
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from portal.accounts.permissions import Permission
from portal.web.access import Access, requires
from portal.web.api import answer_json, api_blueprint, describes, given
from portal.web.openapi import compose
from tests.web.conftest import Site
from tests.web.programs import Program, make_secret


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    limit: int = 5


def message(response: TestResponse) -> str:
    """The sentence of a refusal, which is JSON and is stored by nobody."""
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    told = json.loads(response.data)
    assert list(told) == ["error"]
    assert list(told["error"]) == ["message"]
    return str(told["error"]["message"])


@pytest.fixture
def owner(site: Site) -> Program:
    return Program(site.app, make_secret(site.runtime, site.people["owner"]))


def probe(app: Flask) -> None:
    """A room's API that goes wrong in every way."""
    bp = api_blueprint("probe", __name__)

    @bp.get("/probe/crash")
    @requires(Access.PUBLIC)
    def crash() -> Response:
        raise RuntimeError("a secret detail")

    @bp.get("/probe/away")
    @requires(Access.PUBLIC)
    def away() -> Response:
        raise OperationalError("SELECT", {}, Exception("gone"))

    @bp.get("/probe/<int:status>")
    @requires(Access.PUBLIC)
    def refuse(status: int) -> Response:
        abort(status)

    @bp.post("/probe/things")
    @requires(Permission.SIGN_IN)
    @describes("Take a thing", answer=Wanted, status=201, takes=Wanted, files=("file",))
    def take() -> Response:
        return answer_json(given(Wanted), 201)

    app.register_blueprint(bp)


def test_without_a_token_one_is_asked_for(site: Site) -> None:
    response = Program(site.app, None).get("/api/jobs")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="portal"'
    assert "Bearer portal_" in message(response)


@pytest.mark.parametrize(
    "header",
    ["Basic b3duZXI6eA==", "Bearer", "Bearer ", "portal_x", "Bearer portal_x", "Bearer \xff"],
)
def test_what_is_no_good_token_is_answered_401(site: Site, header: str) -> None:
    program = Program(site.app, None)
    response = program.get("/api/jobs", headers={"Authorization": header})
    assert response.status_code == 401
    message(response)


def test_no_cookie_counts(site: Site) -> None:
    browser = site.browser("admin")
    assert browser.get("/jobs").status_code == 200
    message(response := browser.get("/api/jobs"))
    assert response.status_code == 401


def test_no_cookie_hinders_and_none_is_set(site: Site, owner: Program) -> None:
    owner.client.set_cookie("remember_token", "1|abc")
    owner.client.set_cookie("portal", "forged")
    response = owner.get("/api/jobs")
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_a_token_posts_without_the_pages_token(site: Site, owner: Program) -> None:
    response = owner.post(f"/api/jobs/{site.addresses['job_id']}/cancel")
    assert response.status_code == 409
    assert message(response) == "The job has ended already; there is nothing to cancel."


def test_a_scope_that_is_missing_is_403(site: Site) -> None:
    probe_with = requires(Permission.IMPORTS_RUN)(lambda: "in")
    site.app.add_url_rule("/api/run", "run", probe_with)
    program = Program(site.app, make_secret(site.runtime, site.people["admin"]))
    response = program.get("/api/run")
    assert response.status_code == 403
    assert "scope" in message(response)


def test_an_address_that_leads_nowhere_is_404_in_json(site: Site, owner: Program) -> None:
    for program in (owner, Program(site.app, None)):
        for url in ("/api", "/api/", "/api/nothing", "/api/jobs/"):
            response = program.get(url)
            assert response.status_code == 404
            message(response)


def test_a_method_that_does_not_fit_is_405_and_told_which_does(owner: Program) -> None:
    response = owner.ask("DELETE", "/api/jobs")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    message(response)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 415, 422, 429])
def test_every_refusal_is_a_sentence_in_json(site: Site, status: int) -> None:
    probe(site.app)
    response = Program(site.app, None).get(f"/api/probe/{status}")
    assert response.status_code == status
    assert message(response)


def test_htmx_headers_change_nothing(site: Site) -> None:
    response = Program(site.app, None).get("/api/jobs", headers={"HX-Request": "true"})
    assert response.status_code == 401
    message(response)


def test_a_fault_tells_nothing_of_itself(site: Site) -> None:
    probe(site.app)
    response = Program(site.app, None).get("/api/probe/crash")
    assert response.status_code == 500
    assert "secret" not in message(response)


def test_a_database_that_is_away_is_503(site: Site) -> None:
    probe(site.app)
    response = Program(site.app, None).get("/api/probe/away")
    assert response.status_code == 503
    message(response)


def test_a_nul_is_400(owner: Program) -> None:
    response = owner.get("/api/jobs/a%00b")
    assert response.status_code == 400
    message(response)


def test_a_stranger_cannot_send_much(site: Site) -> None:
    probe(site.app)
    response = Program(site.app, None).post("/api/probe/things", data={"name": "x" * 100_000})
    assert response.status_code == 413
    message(response)


def test_wrong_tokens_are_slowed_down_and_a_right_one_still_works(
    site: Site, owner: Program
) -> None:
    limit = site.runtime.settings.sign_in_failures
    wrong = Program(site.app, "portal_wrong", address=owner.address)
    answers = [wrong.get("/api/jobs") for _ in range(limit + 2)]
    assert [answer.status_code for answer in answers] == [401] * limit + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert "tried too often" in message(answers[-1])
    assert owner.get("/api/jobs").status_code == 200
    assert Program(site.app, "portal_wrong").get("/api/jobs").status_code == 429
    assert Program(site.app, "portal_x", address="192.0.2.8").get("/api/jobs").status_code == 401


def test_wrong_tokens_keep_nobody_from_signing_in(site: Site) -> None:
    browser = site.browser(None)
    wrong = Program(site.app, "portal_wrong", address=browser.address)
    for _ in range(site.runtime.settings.sign_in_failures * 6):
        wrong.get("/api/jobs")
    assert browser.sign_in("member").status_code == 303


def test_a_form_is_read_by_its_model(site: Site, owner: Program) -> None:
    probe(site.app)
    response = owner.post("/api/probe/things", data={"name": "trunk", "limit": "7"})
    assert response.status_code == 201
    assert response.json == {"name": "trunk", "limit": 7}


@pytest.mark.parametrize(
    ("given_form", "words"),
    [
        ({}, "name: Field required."),
        ({"name": "x", "limit": "many"}, "limit: Input should be a valid integer"),
        ({"name": "x", "limits": "7"}, "limits: there is no such parameter."),
    ],
)
def test_a_form_that_does_not_fit_is_422_in_words(
    site: Site, owner: Program, given_form: dict[str, str], words: str
) -> None:
    probe(site.app)
    response = owner.post("/api/probe/things", data=given_form, content_type="multipart/form-data")
    assert response.status_code == 422
    assert words in message(response)


def test_a_body_that_is_no_form_is_415(site: Site, owner: Program) -> None:
    probe(site.app)
    response = owner.post("/api/probe/things", json={"name": "x"})
    assert response.status_code == 415
    message(response)


def test_a_form_with_a_file_is_told_in_the_openapi_file(site: Site) -> None:
    probe(site.app)
    told = compose(site.app)["paths"]["/api/probe/things"]["post"]
    schema = told["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["name", "file"]
    assert schema["properties"]["file"] == {"type": "string", "format": "binary"}
    assert told["responses"]["201"]["content"]["application/json"]["schema"]
