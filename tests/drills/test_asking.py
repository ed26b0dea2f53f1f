"""Asking twice, cancelling, retrying, racing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from sqlalchemy import func, select

from portal.accounts.permissions import SYSTEM
from portal.jobs import service
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import claim_job
from portal.jobs.wake import RedisWaker, rq_queue
from tests.drills.kinds import KINDS
from tests.drills.site import Site
from tests.waiting import wait_until


def test_fifty_double_clicks_make_one_job(site: Site) -> None:
    start = threading.Barrier(10)

    def click(_number: int) -> str:
        start.wait()
        return site.submit("nothing", wake=False)

    with ThreadPoolExecutor(10) as pool:
        jobs = set(pool.map(click, range(50)))
    assert len(jobs) == 1
    assert site.read(lambda session: session.scalar(select(func.count(Job.number)))) == 1


def test_two_workers_racing_for_a_job_do_it_once(site: Site) -> None:
    engine = JobEngine(runtime=site.runtime, kinds=KINDS)
    for number in range(20):
        job = site.submit("nothing", subject=str(number), wake=False)
        start = threading.Barrier(2)

        def take(worker: str, job: str = job, start: threading.Barrier = start) -> bool:
            start.wait()
            return claim_job(job, engine=engine, worker=worker) is not None

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(take, ("a", "b"))) == [False, True]


def test_a_queued_job_can_be_cancelled_and_is_never_run(site: Site) -> None:
    job = site.submit("count", steps=1)
    cancel(site, job)
    site.start_worker()
    done = site.submit("nothing")
    site.wait_for(done, JobState.SUCCEEDED)
    assert site.job(job).state == JobState.CANCELLED
    assert not site.effects(job)
    site.check_history()


def test_a_running_job_is_cancelled_at_its_next_safe_point(site: Site) -> None:
    job = site.submit("wait")
    site.start_worker()
    site.wait_for(job, JobState.RUNNING)
    cancel(site, job)
    ended = site.wait_for(job, JobState.CANCELLED)
    assert ended.attempt == 1
    site.check_history()


def test_a_failed_job_is_retried_as_a_new_attempt_of_the_same_job(site: Site) -> None:
    job = site.submit("fail")
    site.start_worker()
    failed = site.wait_for(job, JobState.FAILED)
    assert "secret" not in failed.reason
    with site.runtime.sessions.begin() as session:
        again = service.retry(
            session,
            kinds=KINDS,
            actor=SYSTEM,
            job=session.scalars(select(Job).where(Job.id == job)).one(),
            waker=RedisWaker(site.runtime.redis),
            now=site.runtime.clock(),
        )
    assert not again.joined
    wait_until(lambda: (site.job(job).attempt, site.job(job).state) == (2, JobState.FAILED))
    site.check_history()


def test_jobs_of_one_lane_run_one_after_another_in_order(site: Site) -> None:
    jobs = [
        site.submit("count", subject=str(number), lane="table:trunk", steps=5)
        for number in range(6)
    ]
    site.start_worker()
    site.start_worker()
    site.start_reconciler()
    for job in jobs:
        site.wait_for(job, JobState.SUCCEEDED)
    ended = [site.job(job) for job in jobs]
    for earlier, later in pairwise(ended):
        assert earlier.ended_at <= later.started_at
    site.check_history()


def test_a_cancelled_head_of_a_lane_lets_the_next_begin_at_once(site: Site) -> None:
    head = site.submit("nothing", subject="1", lane="table:trunk", wake=False)
    following = site.submit("nothing", subject="2", lane="table:trunk")
    site.start_worker()
    queue = rq_queue(site.runtime.redis, "bulk")
    wait_until(lambda: not site.runtime.redis.exists(queue.key, queue.intermediate_queue_key))
    assert site.job(following).state == JobState.QUEUED
    cancel(site, head)
    site.wait_for(following, JobState.SUCCEEDED)  # no reconciler runs here
    site.check_history()


def cancel(site: Site, job_id: str) -> None:
    with site.runtime.sessions.begin() as session:
        service.cancel(
            session,
            kinds=KINDS,
            actor=SYSTEM,
            job=session.scalars(select(Job).where(Job.id == job_id)).one(),
            settings=site.settings,
            waker=RedisWaker(site.runtime.redis),
            now=site.runtime.clock(),
        )
