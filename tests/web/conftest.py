"""A small portal with somebody of every role and one of everything that has an address."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.orm import Session

from portal.accounts import service, sessions
from portal.accounts.actors import actor_of
from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Role
from portal.accounts.tokens.service import create_token
from portal.app import create_app
from portal.artifacts.models import Artifact
from portal.delivery.models import Channel, Endpoint
from portal.jobs.models import Job, JobAttempt, Notification
from portal.projects.models import Policy
from portal.projects.service import create_project
from portal.runtime import Runtime
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser
from tests.compiled_templates import share_templates

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOBODY = "nobody"
PEOPLE: dict[str, tuple[Role, ...]] = {str(role): (role,) for role in Role} | {NOBODY: ()}


@dataclass(frozen=True)
class Site:
    """Who is there, and by which words an address means what is there and belongs to `owner`."""

    app: Flask
    runtime: Runtime
    people: dict[str, User] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def browser(self, name: str | None) -> Browser:
        """A new browser in which `name` is signed in; nobody for None."""
        browser = Browser(self.app)
        browser.get("/login")
        if name is None:
            return browser
        user = self.people[name]
        with self.runtime.sessions.begin() as session:
            token = sessions.start(
                session,
                user_id=user.id,
                now=self.runtime.clock(),
                settings=self.runtime.settings,
                address=browser.address,
                browser="Otter/1.0",
            )
        with browser.client.session_transaction() as cookie:
            cookie["_user_id"] = token
        return browser


@pytest.fixture
def site(app: Flask, runtime: Runtime) -> Site:
    made = Site(app, runtime)
    with runtime.sessions.begin() as session:
        for name, roles in (PEOPLE | {"owner": (Role.MEMBER,)}).items():
            made.people[name] = service.create_user(
                session,
                actor=SYSTEM,
                name=name if name != "admin" else "boss",
                roles=roles,
                password=PASSWORD,
                must_change_password=False,
                now=runtime.clock(),
            )
        made.addresses.update(_belongings(session, made.people["owner"]))
    return made


def _belongings(session: Session, owner: User) -> dict[str, str]:
    """A closed project with a job, its file and the message about it; and a channel."""
    create_project(
        session,
        actor=actor_of(owner),
        project_id="atlas",
        title="Atlas",
        policy=Policy.CLOSED,
        now=NOW,
    )
    job_id, artifact_id = uuid4().hex, uuid4().hex
    session.execute(insert(Job).values(**_job(job_id, owner)))
    session.execute(
        insert(JobAttempt).values(job_id=job_id, number=1, state="succeeded", queued_at=NOW)
    )
    session.execute(insert(Artifact).values(**_artifact(artifact_id, job_id)))
    message = Notification(
        user_id=owner.id, job_id=job_id, state="succeeded", message="Ready.", created_at=NOW
    )
    session.add(message)
    token, _secret = create_token(
        session, owner, actor=SYSTEM, name="nightly", scopes=(), days=None, now=NOW
    )
    channel = _channel()
    session.add(channel)
    session.flush()
    return {
        "channel_id": str(channel.id),
        "endpoint_id": str(channel.endpoint_id),
        "project_id": "atlas",
        "job_id": job_id,
        "artifact_id": artifact_id,
        "message_id": str(message.id),
        "user_id": str(owner.id),
        "token_id": str(token.id),
    }


def _job(job_id: str, owner: User) -> dict[str, object]:
    return {
        "id": job_id,
        "kind": "projects.export",
        "area": "projects",
        "title": "Export of Atlas",
        "subject_kind": "project",
        "subject_id": "atlas",
        "queue": "bulk",
        "idem_key": "export:atlas",
        "args": {"project_id": "atlas"},
        "state": "succeeded",
        "requester_id": owner.id,
        "requester_name": owner.name,
        "created_at": NOW,
        "started_at": NOW,
        "updated_at": NOW,
        "ended_at": NOW,
    }


def _channel() -> Channel:
    """A channel that files were sent by; its server was never tested."""
    made = {"created_at": NOW, "created_by": "operator"}
    endpoint = Endpoint(
        name="partner", transport="sftp", host="sftp.example.org", port=22, profile={}, **made
    )
    return Channel(
        name="articles",
        endpoint=endpoint,
        direction="send",
        spool="/nonexistent",
        blocked={},
        **made,
    )


def _artifact(artifact_id: str, job_id: str) -> dict[str, object]:
    return {
        "id": artifact_id,
        "kind": "project_export",
        "owner_kind": "project",
        "owner_id": "atlas",
        "job_id": job_id,
        "name": "atlas.zip",
        "media_type": "application/zip",
        "size": 3,
        "sha256": "0" * 64,
        "created_at": NOW,
    }


@pytest.fixture
def make_browser(
    site: Site, make_settings: Callable[..., Settings], runtime: Runtime
) -> Iterator[Callable[..., Browser]]:
    """`make_browser(secure=False, **settings)`: a browser before the same site set up otherwise."""
    with ExitStack() as opened:

        def make(*, secure: bool = False, **values: object) -> Browser:
            settings = make_settings(**values)
            app = share_templates(create_app(settings, runtime=replace(runtime, settings=settings)))
            opened.callback(_dispose, app)
            return Browser(app, secure=secure)

        yield make


@pytest.fixture
def tls_browser(make_browser: Callable[..., Browser]) -> Callable[[], Browser]:
    return lambda: make_browser(secure=True, public_url="https://localhost")


def _dispose(app: Flask) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
