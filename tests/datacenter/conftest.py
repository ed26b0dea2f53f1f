"""A data centre with a real database; clerks; files that lie in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.accounts.permissions import Actor, Role
from portal.assembly import KINDS, processors_for
from portal.datacenter.folders import DataCenter
from portal.datacenter.service import open_data_center
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.shell import Shell

USERS = "name,display_name,email\nanna,Anna K,anna@example.org\nbob,Bob,no address\n\ncleo,,\n"
Make = Callable[..., Path]


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(datacenter_settle_seconds=0, disk_reserve_mb=0)


@pytest.fixture
def center(runtime: Runtime) -> DataCenter:
    return open_data_center(runtime)


@pytest.fixture
def clerk() -> Actor:
    return Actor(user_id=None, name="anna", roles=frozenset({Role.DATA_MANAGER}))


@pytest.fixture
def shell(runtime: Runtime) -> Shell:
    return Shell(
        runtime=runtime,
        settings=runtime.settings,
        kinds=KINDS,
        processors=processors_for(runtime),
        waker=RedisWaker(runtime.redis),
    )


@pytest.fixture
def make_file(tmp_path: Path) -> Make:
    def make(name: str = "users.csv", text: str | bytes = USERS) -> Path:
        folder = tmp_path / "home"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder / name

    return make
