"""The pages of projects: what they show, to whom, and what they change."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.permissions import Actor, Role
from portal.jobs.engine import JobEngine
from portal.jobs.runner import perform
from portal.projects.load_order import LoadOrder
from portal.projects.loading import load_folder
from portal.projects.models import Policy, ProjectRole
from portal.projects.queue import queued_exports
from portal.runtime import Runtime
from tests.projects.browser import Browser
from tests.projects.people import People

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
TREE: dict[str, str | bytes] = {
    "index.html": '<h1>Home</h1><script>evil()</script><a href="guide/änfang.md">start</a>'
    '<img src="pics/pic.png"><p onclick="evil()">text</p>',
    "guide/änfang.md": "# Anfang\n\n[home](../index.html)",
    "pics/pic.png": PNG,
    "evil.svg": "<svg onload='evil()'/>",
}


class Scene:
    """A closed project `p3` of m1 with the member m2; m3 is nothing there, boss is an admin."""

    def __init__(self, app: Flask, runtime: Runtime, people: People) -> None:
        self.runtime = runtime
        self.app = app
        self.m1, self.m2, self.m3 = (people.make(name) for name in ("m1", "m2", "m3"))
        self.boss = people.make("boss", Role.ADMIN)

    def browser(self, actor: Actor | None) -> Browser:
        return Browser(self.app, self.runtime, actor)


@pytest.fixture
def scene(app: Flask, runtime: Runtime, people: People, make_folder: Callable[..., Path]) -> Scene:
    scene = Scene(app, runtime, people)
    order = LoadOrder(folder=make_folder("p3", TREE), project_id="p3", policy=Policy.CLOSED)
    load_folder(runtime, order=order, actor=scene.m1)
    people.join(scene.m2, "p3")
    return scene


@pytest.mark.parametrize(
    "path",
    ["", "/pages/index", "/files", "/files/pics/pic.png", "/members", "/exports", "/settings"],
)
def test_who_may_not_see_a_project_learns_nothing_of_it(scene: Scene, path: str) -> None:
    assert scene.browser(scene.m3).get(f"/projects/p3{path}").status_code == 404
    assert scene.browser(scene.m3).get(f"/projects/unknown{path}").status_code == 404


@pytest.mark.parametrize("path", ["/exports", "/settings"])
def test_a_member_who_is_no_admin_is_refused_what_admins_do(scene: Scene, path: str) -> None:
    assert scene.browser(scene.m2).get(f"/projects/p3{path}").status_code == 403


@pytest.mark.parametrize("path", ["", "/pages/index", "/files", "/members"])
def test_a_member_sees_the_project(scene: Scene, path: str) -> None:
    assert scene.browser(scene.m2).get(f"/projects/p3{path}").status_code == 200


@pytest.mark.parametrize("path", ["", "/files", "/members", "/exports", "/settings"])
def test_an_admin_of_the_portal_sees_everything(scene: Scene, path: str) -> None:
    assert scene.browser(scene.boss).get(f"/projects/p3{path}").status_code == 200


def test_a_stranger_is_asked_to_sign_in(scene: Scene) -> None:
    nobody = scene.browser(None)
    assert nobody.get("/projects/p3").status_code == 303
    assert nobody.get("/projects/p3/files/pics/pic.png").status_code == 401


def test_a_page_is_shown_without_scripts_and_with_living_links(scene: Scene) -> None:
    text = scene.browser(scene.m2).get("/projects/p3/pages/index").text
    assert "evil" not in text
    assert 'href="/projects/p3/pages/guide/%C3%A4nfang"' in text
    assert 'src="/projects/p3/files/pics/pic.png"' in text


def test_a_link_of_a_page_leads_to_a_page(scene: Scene) -> None:
    answer = scene.browser(scene.m2).get("/projects/p3/pages/guide/%C3%A4nfang")
    assert (answer.status_code, "Anfang" in answer.text) == (200, True)


def test_a_plain_picture_is_shown_in_the_page(scene: Scene) -> None:
    answer = scene.browser(scene.m2).get("/projects/p3/files/pics/pic.png")
    assert answer.data == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_file_that_could_hold_a_script_is_a_download(scene: Scene) -> None:
    answer = scene.browser(scene.m2).get("/projects/p3/files/evil.svg")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_list_has_only_what_one_may_see(scene: Scene) -> None:
    assert "/projects/p3" in scene.browser(scene.m2).get("/projects").text
    assert "/projects/p3" not in scene.browser(scene.m3).get("/projects").text


def test_the_list_is_filtered_by_text_and_policy(scene: Scene) -> None:
    browser = scene.browser(scene.m1)
    assert "/projects/p3" in browser.get("/projects?text=P3&policy=closed", htmx=True).text
    assert "/projects/p3" not in browser.get("/projects?policy=open", htmx=True).text
    assert "No project matches" in browser.get("/projects?text=zzz", htmx=True).text


def test_pages_are_filtered_by_name(scene: Scene) -> None:
    text = scene.browser(scene.m1).get("/projects/p3?text=guide", htmx=True).text
    assert "Anfang" in text
    assert "Home" not in text


def test_who_makes_a_project_is_its_admin(scene: Scene) -> None:
    browser = scene.browser(scene.m3)
    answer = browser.post("/projects", id="mine", title="Mine", policy="medium")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/mine")
    assert browser.get("/projects/mine/settings").status_code == 200


@pytest.mark.parametrize("wrong", ["", "UPPER", "../up", "new", "p3"])
def test_a_wrong_or_taken_id_is_refused_beside_its_field(scene: Scene, wrong: str) -> None:
    answer = scene.browser(scene.m1).post("/projects", id=wrong, title="T", policy="medium")
    assert answer.status_code == 422
    assert 'id="id-error"' in answer.text


def test_an_admin_of_the_project_adds_and_removes_members(scene: Scene) -> None:
    browser = scene.browser(scene.m1)
    assert browser.post("/projects/p3/members", name="M3", role="ProjectMember").status_code == 303
    assert scene.browser(scene.m3).get("/projects/p3").status_code == 200
    assert browser.post("/projects/p3/members/remove", name="m3").status_code == 303
    assert scene.browser(scene.m3).get("/projects/p3").status_code == 404


def test_the_last_admin_cannot_be_removed(scene: Scene) -> None:
    answer = scene.browser(scene.m1).post("/projects/p3/members/remove", name="m1")
    assert answer.status_code == 409
    assert "Cannot remove last admin: m1" in answer.text


def test_an_unknown_member_is_refused_beside_the_field(scene: Scene) -> None:
    answer = scene.browser(scene.m1).post(
        "/projects/p3/members", name="nobody", role="ProjectMember"
    )
    assert answer.status_code == 422
    assert "There is no user called" in answer.text


def test_settings_change_title_and_policy(scene: Scene) -> None:
    answer = scene.browser(scene.m1).post("/projects/p3/settings", title="New", policy="open")
    assert answer.status_code == 303
    assert scene.browser(scene.m3).get("/projects/p3").status_code == 200


def test_a_member_cannot_change_members_or_settings(scene: Scene) -> None:
    browser = scene.browser(scene.m2)
    for path, fields in {
        "members": {"name": "m3", "role": str(ProjectRole.MEMBER)},
        "members/remove": {"name": "m1"},
        "settings": {"title": "T", "policy": "open"},
        "exports": {},
    }.items():
        assert browser.post(f"/projects/p3/{path}", **fields).status_code == 403


def test_starting_an_export_answers_with_the_page_or_the_status_fragment(scene: Scene) -> None:
    browser = scene.browser(scene.m1)
    answer = browser.post("/projects/p3/exports", pages_with_files="y")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/p3/exports")
    again = browser.post("/projects/p3/exports", htmx=True, history="y")
    assert again.status_code == 200
    assert again.text.startswith('<section id="job-')
    assert len(queued_exports(scene.runtime)) == 1


def test_a_finished_export_stands_in_the_list_and_is_downloaded(
    scene: Scene, engine: JobEngine
) -> None:
    browser = scene.browser(scene.m1)
    browser.post("/projects/p3/exports", pages_with_files="y", history="y")
    ((job_id, _),) = queued_exports(scene.runtime)
    perform(job_id, engine=engine)
    text = browser.get("/projects/p3/exports", htmx=True).text
    url = text.split('href="')[1].split('"')[0]
    assert url.startswith("/artifacts/")
    answer = browser.get(url)
    assert answer.data.startswith(b"PK")
    assert scene.browser(scene.m2).get(url).status_code == 404
    assert scene.browser(None).get(url).status_code == 401


def test_the_forms_choices_reach_the_job(scene: Scene) -> None:
    scene.browser(scene.m1).post("/projects/p3/exports", history="y")
    ((job_id, _),) = queued_exports(scene.runtime)
    text = scene.browser(scene.boss).get(f"/jobs/{job_id}").text
    assert "Export of project p3" in text
