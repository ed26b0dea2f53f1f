"""Who lost his lease changes nothing any more, whatever he still tries."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text, update

from portal.accounts.permissions import SYSTEM
from portal.db import db_now
from portal.jobs import endings
from portal.jobs.engine import JobEngine
from portal.jobs.ledger import Claim, LeaseLostError
from portal.jobs.models import Job, JobState
from portal.jobs.runner import claim_job
from portal.jobs.wake import rq_queue
from portal.jobs.work import Work
from tests.drills.kinds import KINDS
from tests.drills.site import Site


def work_of(site: Site, claim: Claim) -> Work:
    return Work(runtime=site.runtime, claim=claim, actor=SYSTEM, stopping=threading.Event())


@pytest.fixture
def overtaken(site: Site) -> tuple[Work, Work]:
    """Two attempts at one job: the first lost its lease, the second runs."""
    engine = JobEngine(runtime=site.runtime, kinds=KINDS)
    job = site.submit("nothing", wake=False)
    first = claim_job(job, engine=engine, worker="first")
    with site.runtime.sessions.begin() as session:
        session.execute(update(Job).values(lease_until=db_now(-1)))
    assert endings.recover_expired(engine) == 1
    second = claim_job(job, engine=engine, worker="second")
    assert first is not None
    assert second is not None
    return work_of(site, first), work_of(site, second)


def write(work: Work) -> None:
    with work.effect() as session:
        session.execute(text("INSERT INTO drill_effect VALUES ('late', 0, 0)"))


def complete(work: Work) -> None:
    with work.completion() as session:
        session.execute(text("INSERT INTO drill_effect VALUES ('late', 0, 0)"))


@pytest.mark.parametrize("late", [write, complete])
def test_a_late_effect_is_refused(
    site: Site, overtaken: tuple[Work, Work], late: Callable[[Work], None]
) -> None:
    first, _second = overtaken
    with pytest.raises(LeaseLostError):
        late(first)
    assert not site.effects("late")
    assert site.job(first.claim.job_id).state == JobState.RUNNING


def test_a_late_safe_point_says_that_the_job_is_gone(overtaken: tuple[Work, Work]) -> None:
    first, _second = overtaken
    first._looked_at = float("-inf")
    with pytest.raises(LeaseLostError):
        first.checkpoint()


def test_the_new_holder_writes_and_ends_the_job(site: Site, overtaken: tuple[Work, Work]) -> None:
    _first, second = overtaken
    complete(second)
    assert site.effects("late") == {0: 1}
    assert site.job(second.claim.job_id).state == JobState.SUCCEEDED
    site.check_history()


def test_between_two_attempts_nobody_may_write(site: Site) -> None:
    engine = JobEngine(runtime=site.runtime, kinds=KINDS)
    claim = claim_job(site.submit("nothing", wake=False), engine=engine, worker="first")
    assert claim is not None
    endings.horse_died(engine, claim)
    with pytest.raises(LeaseLostError):
        write(work_of(site, claim))
    assert site.job(claim.job_id).state == JobState.QUEUED


def test_a_lost_job_is_woken_on_its_own_queue(site: Site) -> None:
    engine = JobEngine(runtime=site.runtime, kinds=KINDS)
    job = site.submit("nothing", queue="host:here", wake=False)
    claim = claim_job(job, engine=engine, worker="first")
    assert claim is not None
    endings.horse_died(engine, claim)
    redis = site.runtime.redis
    assert (rq_queue(redis, "host:here").count, rq_queue(redis, "bulk").count) == (1, 0)
