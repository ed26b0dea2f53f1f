"""A data centre with a real database; clerks; files that lie in it."""

from collections.abc import Callable

import pytest

from portal.accounts.permissions import Actor, Role
from portal.datacenter.folders import DataCenter
from portal.datacenter.service import open_data_center
from portal.runtime import Runtime
from portal.settings import Settings


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(datacenter_settle_seconds=0, disk_reserve_mb=0)


@pytest.fixture
def center(runtime: Runtime) -> DataCenter:
    return open_data_center(runtime)


@pytest.fixture
def clerk() -> Actor:
    return Actor(user_id=None, name="anna", roles=frozenset({Role.DATA_MANAGER}))
