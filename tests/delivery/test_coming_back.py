"""A run that failed or met a lock is asked for again, once, when its time has come."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.delivery.coming_back import run_again
from portal.delivery.faults import Reason
from portal.delivery.policies import is_given_up, pause_before_run
from portal.jobs.models import Job
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

MINUTE = timedelta(minutes=1)


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


def jobs(site: Site) -> int:
    with site.runtime.reads() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def test_what_is_due_is_asked_for_once(site: Site) -> None:
    site.change(next_try_at=site.runtime.clock() - MINUTE)
    assert run_again(site.engine) == 1
    assert run_again(site.engine) == 0
    assert jobs(site) == 1


def test_what_is_not_due_waits(site: Site) -> None:
    site.change(next_try_at=site.runtime.clock() + MINUTE)
    assert run_again(site.engine) == 0


def test_a_paused_channel_does_not_come_back(site: Site) -> None:
    site.change(next_try_at=site.runtime.clock() - MINUTE, paused=True)
    assert run_again(site.engine) == 0


@pytest.mark.parametrize("reason", list(Reason))
def test_pauses_double_up_to_a_limit_and_are_spread(reason: Reason) -> None:
    pauses = [pause_before_run(reason, failures=n, chance=0.5) for n in range(1, 100)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= timedelta(hours=6)
    first = pause_before_run(reason, failures=1, chance=0)
    assert first < pause_before_run(reason, failures=1, chance=1)


@pytest.mark.parametrize(
    ("reason", "tries", "given_up"),
    [
        (Reason.NETWORK, 99, False),
        (Reason.AUTHENTICATION, 99, False),
        (Reason.SPACE, 99, False),
        (Reason.PERMISSION, 2, False),
        (Reason.PERMISSION, 3, True),
        (Reason.REFUSED_NAME, 1, True),
    ],
)
def test_what_is_the_server_s_fault_costs_no_file(
    reason: Reason, tries: int, given_up: bool
) -> None:
    assert is_given_up(reason, tries=tries) == given_up
