"""A portal with something in it, and an empty place to restore it to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from portal.accounts.models import SignInSession
from portal.accounts.permissions import SYSTEM, Role
from portal.accounts.service import create_user
from portal.accounts.tokens.service import create_token
from portal.artifacts.service import Owner, measure, register
from portal.audit.chain import seal
from portal.files import private_folder
from portal.projects.load_order import LoadOrder
from portal.projects.loading import load_folder
from portal.runtime import Runtime
from portal.settings import Settings
from tests.servers import Postgres


@pytest.fixture
def filled(runtime: Runtime, tmp_path: Path) -> Runtime:
    """A portal with a project of a page and a picture, an artifact, a user who is signed in."""
    settings = runtime.settings
    source = tmp_path / "source"
    source.mkdir()
    (source / "index.md").write_text("# Welcome\n\n![A picture](picture.png)\n")
    (source / "picture.png").write_bytes(b"\x89PNG" + bytes(range(256)) * 40)
    (settings.data / "secret_key").write_text("kept-key-of-the-portal-0123456789-abcdefgh")
    (settings.data / "secret_key").chmod(0o600)
    load_folder(runtime, order=LoadOrder(folder=source, project_id="welcome"), actor=SYSTEM)
    with runtime.sessions.begin() as session:
        user = create_user(
            session,
            actor=SYSTEM,
            name="anna",
            roles=(Role.MEMBER,),
            password="a long enough phrase of words",
            now=runtime.clock(),
        )
        _sign_in(session, user.id, runtime)
        create_token(
            session,
            user,
            actor=SYSTEM,
            name="nightly",
            scopes=(),
            days=None,
            now=runtime.clock(),
        )
        _make_artifact(session, runtime)
    seal(runtime)
    return runtime


@pytest.fixture
def empty_place(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, settings: Settings
) -> Iterator[Settings]:
    """Settings of a portal that is not there yet, with the same kind of database."""
    data = tmp_path / "restored"
    if database.startswith("sqlite"):
        values = {"data": data, "database_url": ""}
        yield settings.model_copy(update=values)
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    name = cluster.create()
    yield settings.model_copy(update={"data": data, "database_url": cluster.url(name)})
    cluster.drop(name)


@pytest.fixture
def opened() -> Iterator[Callable[[Settings], Runtime]]:
    """`opened(settings)` opens a runtime that is closed when the test ends."""
    runtimes: list[Runtime] = []

    def open_one(settings: Settings) -> Runtime:
        runtimes.append(Runtime.open(settings))
        return runtimes[-1]

    yield open_one
    for runtime in runtimes:
        runtime.close()


def _sign_in(session: Session, user_id: int, runtime: Runtime) -> None:
    now = runtime.clock()
    session.add(
        SignInSession(
            token_hash="0" * 64,
            user_id=user_id,
            created_at=now,
            seen_at=now,
            ends_at=now.replace(year=now.year + 1),
            address="127.0.0.1",
            browser="Test",
        )
    )


def _make_artifact(session: Session, runtime: Runtime) -> None:
    work = private_folder(runtime.settings.data / "work")
    (work / "made").write_bytes(b"made by a job" * 1000)
    register(
        session,
        file=measure(work / "made"),
        kind="export",
        owner=Owner(kind="project", id="welcome"),
        name="welcome.zip",
        media_type="application/zip",
        settings=runtime.settings,
        now=runtime.clock(),
    )
