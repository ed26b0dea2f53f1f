"""A project's export: from the request to the artifact."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Actor
from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.projects.export_content import ExportOptions
from portal.projects.exports import build_export, create_export, download_name, list_exports
from portal.projects.load_order import LoadOrder
from portal.projects.loading import load_folder
from portal.runtime import Runtime
from tests.projects.people import People

TREE = {
    "index.html": '<h1>Home</h1><a href="guide/start.md">start</a><img src="pic.png">',
    "guide/start.md": "# Start\n\n[home](../index.html)",
    "pic.png": b"\x89PNG not really",
}


@pytest.fixture
def owner(people: People, runtime: Runtime, make_folder: Callable[..., Path]) -> Actor:
    actor = people.make("m1")
    folder = make_folder("p3", TREE)
    load_folder(runtime, order=LoadOrder(folder=folder, project_id="p3"), actor=actor)
    return actor


def ask(engine: JobEngine, actor: Actor, options: ExportOptions | None = None) -> Job:
    runtime = engine.runtime
    with runtime.sessions.begin() as session:
        return create_export(
            session,
            actor=actor,
            project_id="p3",
            options=options or ExportOptions(),
            kinds=engine.kinds,
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        ).job


def artifacts(runtime: Runtime) -> list[Artifact]:
    with runtime.reads() as session:
        return list(session.scalars(select(Artifact).order_by(Artifact.created_at)))


def job_of(runtime: Runtime, job_id: str) -> Job:
    with runtime.reads() as session:
        return session.scalars(select(Job).where(Job.id == job_id)).one()


def test_a_loaded_folder_becomes_a_zip_that_is_handed_out(engine: JobEngine, owner: Actor) -> None:
    job = ask(engine, owner)
    assert perform(job.id, engine=engine) is JobState.SUCCEEDED
    (artifact,) = artifacts(engine.runtime)
    path = artifact_path(engine.runtime.settings, artifact.id)
    assert path.stat().st_size == artifact.size
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
    assert {"p3/pages/index.html", "p3/pages/guide/start.html", "p3/pages/pic.png"} <= names
    assert {"p3/README.txt", "p3/manifest.json", "p3/project/members.json"} <= names


def test_the_job_tells_what_it_made(engine: JobEngine, owner: Actor) -> None:
    job = ask(engine, owner)
    perform(job.id, engine=engine)
    (artifact,) = artifacts(engine.runtime)
    result = job_of(engine.runtime, job.id).result
    assert artifact.job_id == job.id
    assert (result["artifact"], result["sha256"]) == (artifact.id, artifact.sha256)
    assert result["dead_links"] == 0


def test_asking_twice_joins_the_export_that_waits(engine: JobEngine, owner: Actor) -> None:
    assert ask(engine, owner).id == ask(engine, owner).id


def test_only_the_newest_five_exports_are_kept_with_their_files(
    engine: JobEngine, owner: Actor
) -> None:
    runtime = engine.runtime
    made = []
    for _ in range(7):
        job = ask(engine, owner)
        perform(job.id, engine=engine)
        made.append(job_of(runtime, job.id).result["artifact"])
    with runtime.reads() as session:
        kept = [artifact.id for artifact in list_exports(session, project_id="p3", limit=9)]
    assert kept == made[:1:-1]
    on_disk = [path.name for path in (runtime.settings.data / "artifacts").glob("*/*")]
    assert sorted(on_disk) == sorted(kept)


def test_an_export_of_a_project_that_is_gone_fails_in_words(
    engine: JobEngine, people: People, runtime: Runtime, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="There is no project 'no-such-project'"):
        build_export("no-such-project", folder=tmp_path, runtime=runtime)
    assert list(tmp_path.glob("project_exports/*")) == []


def test_a_member_who_is_no_admin_may_not_export(
    engine: JobEngine, owner: Actor, people: People
) -> None:
    member = people.make("m3")
    people.join(member, "p3")
    with pytest.raises(ForbiddenError):
        ask(engine, member)


def test_options_leave_parts_out(engine: JobEngine, owner: Actor, tmp_path: Path) -> None:
    options = ExportOptions(history=False, members_and_settings=False)
    path = build_export("p3", folder=tmp_path, runtime=engine.runtime, options=options)
    with zipfile.ZipFile(path) as archive:
        assert not any(name.startswith("p3/project/") for name in archive.namelist())


def test_every_first_version_is_in_the_history(
    engine: JobEngine, owner: Actor, tmp_path: Path
) -> None:
    path = build_export("p3", folder=tmp_path, runtime=engine.runtime)
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("p3/project/history/versions.jsonl").splitlines()
    versions = [json.loads(line) for line in lines]
    assert [(v["page"], v["number"]) for v in versions] == [("guide/start", 1), ("index", 1)]


def test_the_download_bears_the_time_in_utc() -> None:
    moment = datetime(2026, 11, 21, 14, 3, 5, tzinfo=UTC)
    assert download_name("p3", moment) == "p3-2026-11-21_140305Z.zip"
