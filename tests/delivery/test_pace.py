"""The limit for bytes a second: waits, in small steps, and only where there is one."""

from io import BytesIO

import pytest

from portal.delivery.endpoints import Options
from portal.delivery.pace import Pace
from portal.errors import InvalidError
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site


class Time:
    """A clock that goes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds


def pace(rate: int | None, time: Time) -> Pace:
    return Pace(rate, clock=lambda: time.now, wait=time.wait)


def test_without_a_limit_nobody_waits() -> None:
    time = Time()
    pace(None, time).moved(10**9, meanwhile=lambda: None)
    assert time.now == 0


def test_all_that_is_moved_takes_as_long_as_the_limit_says() -> None:
    time = Time()
    limited = pace(1000, time)
    for _ in range(10):
        limited.moved(500, meanwhile=lambda: None)
    assert time.now == pytest.approx(5)


def test_what_was_not_used_is_no_credit() -> None:
    time = Time()
    limited = pace(1000, time)
    time.wait(100)
    limited.moved(2000, meanwhile=lambda: None)
    assert time.now == pytest.approx(102)


def test_somebody_who_waits_long_can_still_be_stopped() -> None:
    time, asked = Time(), []
    pace(1000, time).moved(5000, meanwhile=lambda: asked.append(time.now))
    assert len(asked) >= 10


def test_under_a_limit_files_are_read_in_small_pieces() -> None:
    read = pace(80_000, Time()).reading(BytesIO(bytes(100_000)))
    assert len(read(2**20)) == 10_000


@pytest.mark.parametrize("values", [{"rate_limit": 10}, {"connections": 0}, {"connections": 99}])
def test_limits_that_make_no_sense_are_refused(
    runtime: Runtime, scripted: ScriptedServer, values: dict[str, int]
) -> None:
    assert Options(**values)
    with pytest.raises(InvalidError):
        Site(runtime, url=scripted.url(), folder=scripted.folder, **values)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_run_keeps_the_limit_over_all_its_connections(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = Site(
        runtime, url=scripted.url(), folder=scripted.folder, connections=2, rate_limit=200_000
    )
    for name in ("a", "b"):
        site.put(name, bytes(100_000))
    job = site.run()
    assert job.ended_at is not None
    assert job.started_at is not None
    assert (job.ended_at - job.started_at).total_seconds() > 0.9
    assert {len(content) for content in site.there().values()} == {100_000}
