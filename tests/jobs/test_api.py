"""Jobs for programs: the same facts and rights as on the pages."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal.accounts.models import User
from portal.accounts.permissions import Actor, Permission, Role
from portal.jobs.progress import ProgressMeter
from portal.runtime import Runtime
from tests.jobs.conftest import Jobs, MovableClock
from tests.web.programs import Program, make_secret

OpenProgram = Callable[..., Program]


@pytest.fixture
def program(app: Flask, runtime: Runtime) -> OpenProgram:
    """`program(actor, *scopes)`: a program with a token of the actor."""

    def open_program(actor: Actor, *scopes: Permission) -> Program:
        with runtime.reads() as session:
            user = session.get_one(User, actor.user_id)
        return Program(app, make_secret(runtime, user, scopes=scopes))

    return open_program


def test_a_job_that_ended_tells_its_result(program: OpenProgram, jobs: Jobs, anna: Actor) -> None:
    job_id = jobs.ended("talk", actor=anna, title="Talk")
    told = program(anna).get(f"/api/jobs/{job_id}").json
    assert {
        name: told[name] for name in ("id", "name", "kind", "area", "state", "hung", "result")
    } == {
        "id": job_id,
        "name": "Talk",
        "kind": "test.talk",
        "area": "test",
        "state": "succeeded",
        "hung": False,
        "result": {"pages": 3},
    }
    assert told["started"] <= told["ended"]


def test_a_running_job_tells_how_far_it_is(
    program: OpenProgram, jobs: Jobs, anna: Actor, runtime: Runtime
) -> None:
    job_id = jobs.running(actor=anna)
    ProgressMeter(runtime.redis, job_id, 1).update(
        stage="Writing pages", done=3, total=4, unit="pages", message="nearly"
    )
    told = program(anna).get(f"/api/jobs/{job_id}").json
    names = ("state", "stage", "done", "total", "unit", "percent", "message", "ended")
    assert tuple(told[name] for name in names) == (
        "running", "Writing pages", 3, 4, "pages", 75, "nearly", None
    )  # fmt: skip


def test_a_waiting_job_tells_its_place(program: OpenProgram, jobs: Jobs, anna: Actor) -> None:
    jobs.queued(subject="1", actor=anna)
    job_id = jobs.queued(subject="2", actor=anna)
    assert program(anna).get(f"/api/jobs/{job_id}").json["place"] == 1


def test_a_job_that_runs_far_too_long_is_told_to_hang(
    program: OpenProgram, jobs: Jobs, anna: Actor, clock: MovableClock
) -> None:
    job_id = jobs.running(actor=anna)
    clock.move(hours=7)
    told = program(anna).get(f"/api/jobs/{job_id}").json
    assert (told["state"], told["hung"]) == ("running", True)


def test_a_job_of_others_is_not_there(
    program: OpenProgram, jobs: Jobs, anna: Actor, make_actor: Callable[..., Actor]
) -> None:
    job_id = jobs.queued(actor=anna)
    mia = make_actor("mia", Role.MEMBER)
    for method, url in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        assert program(mia).ask(method, f"/api/jobs/{job_id}{url}").status_code == 404


def test_a_list_is_read_page_by_page(program: OpenProgram, jobs: Jobs, anna: Actor) -> None:
    made = [jobs.queued(subject=str(number), actor=anna) for number in range(5)]
    found, after, pages = [], "", 0
    while after is not None:
        told = program(anna).get(f"/api/jobs?limit=2{after}").json
        found += [job["id"] for job in told["jobs"]]
        after = f"&after={told['next']}" if told["next"] else None
        pages += 1
    assert found == made[::-1]
    assert pages == 3


def test_a_list_is_narrowed_by_state_and_area(
    program: OpenProgram, jobs: Jobs, anna: Actor
) -> None:
    jobs.queued(actor=anna)
    failed = jobs.ended("fail", actor=anna)
    listed = program(anna).get("/api/jobs?state=failed&area=test").json["jobs"]
    assert [job["id"] for job in listed] == [failed]
    assert program(anna).get("/api/jobs?area=projects").json["jobs"] == []


def test_a_list_has_all_jobs_only_with_the_scope(
    program: OpenProgram, jobs: Jobs, anna: Actor, boss: Actor
) -> None:
    jobs.queued(actor=anna)
    assert program(boss).get("/api/jobs").json["jobs"] == []
    assert len(program(boss, Permission.JOBS_VIEW_ALL).get("/api/jobs").json["jobs"]) == 1


@pytest.mark.parametrize(
    "query", ["state=done", "limit=0", "limit=201", "limit=x", "after=0", "area=A b", "stat=failed"]
)
def test_what_makes_no_sense_is_refused(program: OpenProgram, anna: Actor, query: str) -> None:
    response = program(anna).get(f"/api/jobs?{query}")
    assert response.status_code == 422
    assert query.split("=")[0] in response.json["error"]["message"]


def test_a_job_is_cancelled(program: OpenProgram, jobs: Jobs, anna: Actor) -> None:
    job_id = jobs.queued(actor=anna)
    told = program(anna).post(f"/api/jobs/{job_id}/cancel").json
    assert told["state"] == "cancelled"
    assert program(anna).post(f"/api/jobs/{job_id}/cancel").status_code == 409


def test_a_running_job_is_asked_to_stop(program: OpenProgram, jobs: Jobs, anna: Actor) -> None:
    job_id = jobs.running(actor=anna)
    told = program(anna).post(f"/api/jobs/{job_id}/cancel").json
    assert (told["state"], told["stopping"]) == ("running", True)


def test_a_job_is_tried_again(program: OpenProgram, jobs: Jobs, anna: Actor) -> None:
    job_id = jobs.ended("fail", actor=anna)
    told = program(anna).post(f"/api/jobs/{job_id}/retry").json
    assert not told["joined"]
    assert (told["job"]["id"], told["job"]["state"], told["job"]["attempt"]) == (
        job_id, "queued", 2
    )  # fmt: skip
