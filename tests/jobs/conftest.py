"""What these tests share: a clock, people with browsers, and jobs in every state."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.accounts import service as accounts
from portal.accounts.actors import actor_of
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.app import create_app
from portal.jobs import runner, service
from portal.jobs.engine import JobEngine
from portal.jobs.service import Subject
from portal.runtime import Runtime
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser
from tests.compiled_templates import share_templates
from tests.jobs.kinds import KINDS


class MovableClock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Jobs:
    """Asks for jobs and takes them as far as a test wants."""

    def __init__(self, engine: JobEngine) -> None:
        self.engine = engine
        self.woken: list[tuple[str, str]] = []

    def wake(self, queue: str, job_id: str) -> bool:
        self.woken.append((queue, job_id))
        return True

    def queued(self, kind: str = "nothing", *, actor: Actor = SYSTEM, **values: Any) -> str:
        subject = values.pop("subject", "1")
        with self.engine.runtime.sessions.begin() as session:
            return service.submit(
                session,
                kind=KINDS.get(f"test.{kind}"),
                actor=actor,
                args={"thing": subject},
                title=values.pop("title", f"Job about {subject}"),
                subject=Subject(kind="thing", id=subject),
                waker=self.wake,
                now=self.engine.runtime.clock(),
                **values,
            ).job.id

    def running(self, kind: str = "nothing", **values: Any) -> str:
        job_id = self.queued(kind, **values)
        assert runner.claim_job(job_id, engine=self.engine, worker="host:1") is not None
        return job_id

    def ended(self, kind: str = "nothing", **values: Any) -> str:
        job_id = self.queued(kind, **values)
        runner.perform(job_id, engine=self.engine)
        return job_id


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def runtime(settings: Settings, clock: MovableClock) -> Iterator[Runtime]:
    opened = Runtime.open(settings, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def engine(runtime: Runtime) -> JobEngine:
    return JobEngine(runtime=runtime, kinds=KINDS)


@pytest.fixture
def jobs(engine: JobEngine) -> Jobs:
    return Jobs(engine)


@pytest.fixture
def app(settings: Settings, runtime: Runtime, jobs: Jobs) -> Iterator[Flask]:
    application = share_templates(
        create_app(settings, runtime=runtime, kinds=KINDS, waker=jobs.wake)
    )
    yield application
    with application.app_context():
        application.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def make_actor(runtime: Runtime) -> Callable[..., Actor]:
    """`make_actor(name, *roles)`: a user who can sign in, as an actor."""

    def make(name: str = "anna", *roles: Role, **values: Any) -> Actor:
        defaults = {"password": PASSWORD, "must_change_password": False}
        with runtime.sessions.begin() as session:
            user = accounts.create_user(
                session,
                actor=SYSTEM,
                name=name,
                roles=roles,
                now=runtime.clock(),
                **(defaults | values),
            )
            return actor_of(user)

    return make


@pytest.fixture
def anna(make_actor: Callable[..., Actor]) -> Actor:
    """An operator: she may run the kinds of these tests."""
    return make_actor("anna", Role.OPERATOR)


@pytest.fixture
def boss(make_actor: Callable[..., Actor]) -> Actor:
    return make_actor("boss", Role.ADMIN)


@pytest.fixture
def browse(app: Flask) -> Callable[[Actor], Browser]:
    """`browse(actor)`: a browser in which the actor is signed in."""

    def open_browser(actor: Actor) -> Browser:
        browser = Browser(app)
        assert browser.sign_in(actor.name).status_code == 303
        return browser

    return open_browser


@pytest.fixture
def guest(app: Flask) -> Browser:
    return Browser(app)
