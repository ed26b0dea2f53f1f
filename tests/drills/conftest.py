"""Every drill has a site of its own, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.settings import Settings
from tests.drills.site import Site
from tests.servers import running_redis


@pytest.fixture
def site(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Site]:
    with running_redis() as redis:
        settings = make_settings(
            redis_url=redis.url,
            lease_seconds=1.5,
            reconcile_seconds=0.2,
            rewake_seconds=0.6,
            max_attempts=3,
        )
        built = Site(settings, redis, tmp_path)
        yield built
        built.close()
