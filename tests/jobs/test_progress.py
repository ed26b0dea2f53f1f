"""How fast a job goes, and how long it takes yet."""

from collections.abc import Iterator
from itertools import count

import pytest

from portal.jobs.progress import ProgressMeter
from portal.runtime import Runtime


@pytest.fixture
def meter(runtime: Runtime) -> ProgressMeter:
    """A meter that is told something every 10 seconds."""
    seconds: Iterator[float] = map(float, count(0, 10))
    return ProgressMeter(runtime.redis, "job", 1, clock=lambda: next(seconds))


def say(meter: ProgressMeter, *, done: int) -> None:
    meter.update(stage="Rows", done=done, total=20_000)
    meter.write()


def test_what_was_done_before_a_stage_began_makes_it_no_faster(meter: ProgressMeter) -> None:
    say(meter, done=8_000)
    assert (meter.last.rate, meter.last.eta) == (None, None)
    say(meter, done=11_000)
    rate, eta = meter.last.rate, meter.last.eta
    assert rate is not None
    assert eta is not None
    assert rate < 3_000 / 10 + 1
    assert eta == 9_000 / rate


def test_a_stage_that_begins_with_nothing_counts_from_there(meter: ProgressMeter) -> None:
    say(meter, done=0)
    say(meter, done=3_000)
    assert meter.last.rate
    assert meter.last.rate < 3_000 / 10 + 1
