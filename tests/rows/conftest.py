"""Batches of people, in both databases and by each kind of processor."""

from collections.abc import Callable

import pytest

from portal.runtime import Runtime
from portal.settings import Settings
from tests.rows.batches import Batches
from tests.rows.people import ALL


@pytest.fixture
def make_settings(make_settings: Callable[..., Settings], tmp_path, database):
    """The tables database is one file beside the portal's, or the same PostgreSQL."""
    sqlite = f"sqlite:///{tmp_path / 'tables.sqlite'}"
    tables = sqlite if database.startswith("sqlite") else database
    return lambda **values: make_settings(**({"tables_url": tables} | values))


@pytest.fixture
def batches(runtime: Runtime, tmp_path) -> Batches:
    """Batches of people, one by one in the portal's own database."""
    return Batches(runtime, tmp_path)


@pytest.fixture(params=ALL)
def each_way(request, runtime: Runtime, tmp_path) -> Batches:
    """The same for each kind of processor."""
    return Batches(runtime, tmp_path, request.param)
