"""What all tests share: both databases, a real Redis, a runtime, an application and a client."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from portal.app import create_app
from portal.db import checkpoint, open_engine
from portal.migrations.run import upgrade
from portal.runtime import Runtime
from portal.settings import Settings
from tests.compiled_templates import share_templates
from tests.servers import Postgres, RedisProcess, running_postgres, running_redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisProcess]:
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisProcess) -> Iterator[str]:
    yield redis_server.url
    client = Redis.from_url(redis_server.url)
    client.flushall()
    client.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    name = postgres.create()
    _migrate(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "portal.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database; every test that asks for it runs on both."""
    if request.param == "sqlite":
        path = tmp_path / "portal.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    name = cluster.create(request.getfixturevalue("postgres_template"))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def make_settings(tmp_path: Path, redis_url: str, database: str) -> Callable[..., Settings]:
    """`make_settings(**only_what_matters)`; the data folder is this test's own."""

    def make(**values: object) -> Settings:
        defaults: dict[str, object] = {
            "data": tmp_path / "data",
            "redis_url": redis_url,
            "database_url": database,
            "secret_key": "a-key-for-tests-only-0123456789-abcdef",
        }
        settings = Settings.model_validate(defaults | values)
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o711)
        return settings

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    opened = Runtime.open(settings)
    yield opened
    opened.close()


@pytest.fixture
def app(settings: Settings, runtime: Runtime) -> Iterator[Flask]:
    application = share_templates(create_app(settings, runtime=runtime))
    yield application
    with application.app_context():
        application.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _migrate(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    checkpoint(engine)
    engine.dispose()
