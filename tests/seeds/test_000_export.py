"""The seed "Exporting Project Content", walked in its own order against the real parts."""

import logging
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.models import User, UserRole
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job
from portal.jobs.status import JobStatus, status_of
from portal.jobs.wake import RedisWaker
from portal.projects.export_content import ExportOptions
from portal.projects.exports import build_export, create_export, submit_export
from portal.projects.members import set_member
from portal.projects.models import PageFormat, Policy, ProjectRole
from portal.projects.pages import write_page
from portal.projects.queue import drain_exports, queued_exports
from portal.projects.service import create_project
from portal.projects.tasks import EXPORT
from portal.runtime import Runtime

KINDS = Kinds((EXPORT,))
END = "Reached end of project export job queue."


class Clock:
    """Time that passes a little at every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


def make_people(runtime: Runtime) -> dict[str, Actor]:
    people = {}
    with runtime.sessions.begin() as session:
        for name in ("m1", "m2", "m3", "m4"):
            user = User(
                name=name,
                name_key=name,
                password_hash="-",
                created_at=runtime.clock(),
                roles=[UserRole(role=Role.MEMBER)],
            )
            session.add(user)
            session.flush()
            people[name] = Actor(user_id=user.id, name=name, roles=frozenset({Role.MEMBER}))
    return people


def make_p3(runtime: Runtime, people: dict[str, Actor]) -> None:
    """The originals' fixture: p3 has the admin m1 and the members m2 and m3, policy medium."""
    now, m1 = runtime.clock(), people["m1"]
    with runtime.sessions.begin() as session:
        create_project(
            session, actor=m1, project_id="p3", title="P3", policy=Policy.MEDIUM, now=now
        )
        for name in ("m2", "m3"):
            set_member(
                session,
                actor=m1,
                project_id="p3",
                name=name,
                role=ProjectRole.MEMBER,
                now=now,
            )
        write_page(
            session,
            actor=m1,
            project_id="p3",
            name="project-home",
            source="<h1>Project home</h1>",
            page_format=PageFormat.HTML,
            now=now,
        )


def ask_as(runtime: Runtime, actor: Actor) -> None:
    with runtime.sessions.begin() as session:
        create_export(
            session,
            actor=actor,
            project_id="p3",
            options=ExportOptions(),
            kinds=KINDS,
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        )


def put_into_queue(runtime: Runtime, project_id: str) -> str:
    with runtime.sessions.begin() as session:
        return submit_export(
            session,
            actor=SYSTEM,
            project_id=project_id,
            options=ExportOptions(),
            kinds=KINDS,
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        ).job.id


def status(runtime: Runtime, job_id: str) -> JobStatus:
    with runtime.reads() as session:
        job = session.scalars(select(Job).where(Job.id == job_id)).one()
    return status_of(job, clock=runtime.clock)


def test_the_seed(runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # "The export view is restricted". The seed's m1 has logged out when he asks: nobody in
    # particular sees no project at all. m3, a member but no admin, sees it and is refused.
    people = make_people(runtime)
    make_p3(runtime, people)
    logged_out = Actor(user_id=people["m1"].user_id, name="m1", enabled=False)
    with pytest.raises(NotFoundError):
        ask_as(runtime, logged_out)
    with pytest.raises(ForbiddenError):
        ask_as(runtime, people["m3"])

    # "Nothing in the queue yet"
    assert list(queued_exports(runtime)) == []
    caplog.set_level(logging.INFO, logger="portal.projects.export")

    def logged() -> list[str]:
        texts = [r.getMessage() for r in caplog.records if r.name == "portal.projects.export"]
        caplog.clear()
        return texts

    drain_exports(runtime)  # nothing happens.
    assert logged().pop() == END

    # "We can call export() directly"
    path = str(build_export("p3", folder=tmp_path, runtime=runtime))
    assert path.startswith(str(tmp_path))
    assert path.endswith("/project_exports/p3/p3.zip")
    assert zipfile.is_zipfile(path)

    # "Status objects"
    clock = Clock()
    foo = JobStatus("foo", clock)
    assert foo.name == "foo"
    assert foo.running is False
    assert foo.succeeded is False
    assert foo.hung is False
    assert foo.failed is False
    foo.start()
    assert isinstance(foo.starttime, datetime)
    assert foo.running is True
    assert (foo.updatetime == foo.starttime) is True
    foo.finish()
    assert foo.running is False
    assert (foo.updatetime > foo.starttime) is True
    assert foo.succeeded is True
    foo.fail()
    assert foo.succeeded is False
    assert foo.failed is True
    assert (foo.updatetime > foo.starttime) is True
    foo.start()
    foo.starttime -= timedelta(days=10)
    assert foo.hung is True  # We forced the start time to be ridiculously old.

    # "The Export Queue": failure due to missing project
    job_id = put_into_queue(runtime, "no-such-project")
    drain_exports(runtime)
    assert status(runtime, job_id).failed is True
    texts = logged()
    assert len(texts) == 2
    assert texts.pop() == END
    assert texts.pop().startswith("Failure in export of project 'no-such-project'")

    # "And here's an example of success"
    job_id = put_into_queue(runtime, "p3")
    drain_exports(runtime)
    assert status(runtime, job_id).succeeded is True
    texts = logged()
    assert len(texts) == 1
    assert texts.pop() == END
