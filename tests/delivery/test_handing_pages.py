"""“Deliver…”: finished files of other areas are handed to a channel, whole, under their names."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal.accounts.models import UserRole
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.artifacts.handouts import FinishedFile, Handout, Handouts
from portal.artifacts.models import Artifact
from portal.artifacts.service import Owner, measure, register
from portal.assembly import KINDS
from portal.datacenter.service import open_data_center
from portal.delivery.carrying import handing_kind
from portal.delivery.handing import Parting, hand_over
from portal.delivery.states import Direction
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.projects.models import Policy
from portal.projects.service import create_project
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.delivery.browsing import audited, follow, read, sign_in, words
from tests.delivery.site import Site

NOWHERE = "ftp://test@127.0.0.1:9/"


@pytest.fixture
def site(runtime: Runtime, tmp_path: Path) -> Site:
    return Site(runtime, url=NOWHERE, folder=tmp_path)


@pytest.fixture
def olga(app: Flask, runtime: Runtime) -> Browser:
    return sign_in(app, runtime, Role.OPERATOR, Role.DATA_MANAGER)


@pytest.fixture
def finished(runtime: Runtime) -> str:
    """A file that the data centre finished."""
    folder = open_data_center(runtime).storage / "finished"
    (folder / "users.create.finished.csv").write_bytes(b"name\r\nanna\r\n")
    return "/delivery/deliver/finished/users.create.finished.csv"


def artifact(runtime: Runtime, *, owner: str = "atlas") -> Artifact:
    path = runtime.settings.data / "made.zip"
    path.write_bytes(b"zip" * 1000)
    with runtime.sessions.begin() as session:
        create_project(
            session,
            actor=SYSTEM,
            project_id=owner,
            title="Atlas",
            policy=Policy.CLOSED,
            now=runtime.clock(),
        )
        return register(
            session,
            file=measure(path),
            kind="project_export",
            owner=Owner(kind="project", id=owner),
            name="atlas.zip",
            media_type="application/zip",
            settings=runtime.settings,
            now=runtime.clock(),
        )


def perform_all(runtime: Runtime) -> list[Job]:
    """Do what was asked for, and return it."""
    engine = JobEngine(runtime=runtime, kinds=KINDS)
    with runtime.reads() as session:
        waiting = list(session.scalars(select(Job.id).where(Job.state == JobState.QUEUED)))
    for job_id in waiting:
        perform(job_id, engine=engine)
    with runtime.reads() as session:
        return list(session.scalars(select(Job).order_by(Job.number)))


def test_a_finished_file_of_the_data_centre_goes_to_a_channel(
    olga: Browser, site: Site, finished: str
) -> None:
    assert finished in olga.get("/datacenter/folders/finished").text
    assert "users.create.finished.csv" in read(olga, finished)
    follow(olga, finished, {"channel": "1"})
    (job,) = perform_all(site.runtime)
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert site.here() == {"new": ["users.create.finished.csv"]}
    path = site.spool.root / "new" / "users.create.finished.csv"
    assert path.read_bytes() == b"name\r\nanna\r\n"
    assert audited(site.runtime, "delivery.file.hand_over") == [("olga", "articles")]


def test_an_artifact_goes_under_the_name_that_people_know(
    app: Flask, runtime: Runtime, site: Site
) -> None:
    made = artifact(runtime)
    boss = sign_in(app, runtime, Role.ADMIN, name="boss")
    follow(boss, f"/delivery/deliver/artifact/{made.id}", {"channel": "1"})
    assert perform_all(runtime)[0].state == JobState.SUCCEEDED
    assert (site.spool.root / "new" / "atlas.zip").stat().st_size == 3000


def test_an_artifact_that_one_may_not_fetch_is_not_there(
    olga: Browser, runtime: Runtime, site: Site
) -> None:
    made = artifact(runtime)
    assert olga.get(f"/delivery/deliver/artifact/{made.id}").status_code == 404
    assert site.here() == {}


def test_who_may_not_see_the_data_centre_hands_none_of_its_files_over(
    app: Flask, runtime: Runtime, site: Site, finished: str
) -> None:
    otto = sign_in(app, runtime, Role.OPERATOR, name="otto")
    assert otto.get(finished).status_code == 404
    assert site.here() == {}


def test_who_is_no_operator_is_not_offered_it(
    app: Flask, runtime: Runtime, site: Site, finished: str
) -> None:
    dana = sign_in(app, runtime, Role.DATA_MANAGER, name="dana")
    assert "Deliver…" not in dana.get("/datacenter/folders/finished").text
    assert dana.get(finished).status_code == 403
    assert site.here() == {}


def test_a_name_that_waits_already_is_refused_in_words(
    olga: Browser, site: Site, finished: str
) -> None:
    site.put("users.create.finished.csv", b"another")
    olga.get(finished)
    response = olga.post(finished, {"channel": "1"})
    assert response.status_code == 422
    assert "waits in articles already" in words(response.text)


def test_a_file_of_its_name_that_came_meanwhile_is_not_written_over(
    olga: Browser, site: Site, finished: str
) -> None:
    olga.get(finished)
    olga.post(finished, {"channel": "1"})
    site.put("users.create.finished.csv", b"another")
    (job,) = perform_all(site.runtime)
    assert job.state == JobState.FAILED
    assert "waits in articles already" in job.reason
    assert (site.spool.root / "new" / "users.create.finished.csv").read_bytes() == b"another"
    assert site.here() == {"new": ["users.create.finished.csv"]}


def test_a_channel_that_does_not_take_such_files_is_refused(
    olga: Browser, site: Site, finished: str
) -> None:
    site.change(include="*.xml")
    olga.get(finished)
    response = olga.post(finished, {"channel": "1"})
    assert "does not take files called" in words(response.text)


def test_channels_that_fetch_are_not_offered(
    olga: Browser, runtime: Runtime, tmp_path: Path, finished: str
) -> None:
    site = Site(runtime, url=NOWHERE, folder=tmp_path, direction=Direction.FETCH)
    assert "No channel sends files yet" in read(olga, finished)
    assert olga.post(finished, {"channel": "1"}).status_code == 422
    assert site.here() == {}


def test_with_at_once_the_channel_is_due(olga: Browser, site: Site, finished: str) -> None:
    olga.get(finished)
    olga.post(finished, {"channel": "1", "at_once": "y"})
    perform_all(site.runtime)
    assert site.channel().next_try_at is not None


def test_a_paused_channel_keeps_the_file(olga: Browser, site: Site, finished: str) -> None:
    site.change(paused=True)
    olga.get(finished)
    olga.post(finished, {"channel": "1", "at_once": "y"})
    perform_all(site.runtime)
    assert site.channel().next_try_at is None
    assert site.here() == {"new": ["users.create.finished.csv"]}


def test_the_right_is_asked_again_when_the_file_is_carried(
    olga: Browser, site: Site, finished: str
) -> None:
    olga.get(finished)
    olga.post(finished, {"channel": "1"})
    with site.runtime.sessions.begin() as session:
        data_manager = (UserRole.role == Role.DATA_MANAGER,)
        session.execute(delete(UserRole).where(*data_manager))
    (job,) = perform_all(site.runtime)
    assert job.state == JobState.FAILED
    assert site.here() == {}


def test_a_file_that_is_gone_or_cut_is_told(runtime: Runtime, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"12345")

    def find(_session: Any, _runtime: Runtime, _actor: Actor, file: str) -> FinishedFile:
        return FinishedFile(path=tmp_path / file, name=file, size=6)

    handouts = Handouts((Handout(name="folder", find=find),))
    site.engine = JobEngine(runtime=runtime, kinds=Kinds((handing_kind(handouts),)))

    def hand(file: str) -> Job:
        def order(session: Any, asking: Any, *, name: str) -> Any:
            parting = Parting(source="folder", file=file)
            return hand_over(
                session,
                asking,
                handouts=handouts,
                runtime=runtime,
                channel_id=1,
                parting=parting,
            )

        return site.run(order)

    assert "changed while it was being copied" in hand("a.csv").reason
    assert "is gone" in hand("b.csv").reason
    assert site.here() == {}
