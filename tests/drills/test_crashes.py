"""Whatever dies, no accepted job is lost and no effect happens twice."""

import os
import signal

import psutil
import pytest
from sqlalchemy import update

from portal.jobs.models import Job, JobState
from tests.drills.site import Site
from tests.waiting import wait_until

STEPS = ("claim committed", "claimed", "worked", "ended")


def test_a_job_whose_wake_up_was_never_sent_is_done_all_the_same(site: Site) -> None:
    job = site.submit("count", wake=False, steps=3)
    site.start_worker()
    site.start_reconciler()
    site.wait_for(job, JobState.SUCCEEDED)
    assert site.effects(job) == {0: 1, 1: 1, 2: 1}
    site.check_history()


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_between_two_steps_costs_nothing(site: Site, step: str) -> None:
    job = site.submit("count", steps=3)
    site.start_worker(die_at=step)
    site.start_worker()
    site.start_reconciler()
    site.wait_for(job, JobState.SUCCEEDED)
    assert site.effects(job) == {0: 1, 1: 1, 2: 1}
    site.check_history()


def test_a_killed_worker_takes_its_work_horse_along(site: Site) -> None:
    job = site.submit("wait")
    worker = site.start_worker()
    site.wait_for(job, JobState.RUNNING)
    horse = site.horse_of(worker)
    worker.kill()
    worker.wait()
    psutil.wait_procs([horse], timeout=20)
    assert not horse.is_running()


def test_a_killed_worker_s_job_is_done_by_another(site: Site) -> None:
    job = site.submit("count", steps=100)
    worker = site.start_worker()
    wait_until(lambda: site.effects(job))
    worker.kill()
    site.start_worker()
    site.start_reconciler()
    site.wait_for(job, JobState.SUCCEEDED)
    assert set(site.effects(job)) == set(range(100))
    site.check_history()


def test_a_killed_work_horse_s_job_is_tried_again(site: Site) -> None:
    job = site.submit("count", steps=100)
    worker = site.start_worker()
    site.start_reconciler()
    wait_until(lambda: site.effects(job))
    site.horse_of(worker).kill()
    ended = site.wait_for(job, JobState.SUCCEEDED)
    assert ended.attempt == 2
    site.check_history()


def test_a_worker_stopped_past_its_lease_cannot_write_when_it_wakes_up(site: Site) -> None:
    gate = site.folder / "gate"
    job = site.submit("write_late", gate=str(gate))
    stopped = site.start_worker()
    wait_until(lambda: (site.folder / "gate.ready-1").exists())
    horse = site.horse_of(stopped)
    os.kill(stopped.pid, signal.SIGSTOP)
    os.kill(horse.pid, signal.SIGSTOP)
    site.start_worker()
    site.start_reconciler()
    wait_until(lambda: (site.folder / "gate.ready-2").exists(), timeout=60)
    gate.touch()
    os.kill(horse.pid, signal.SIGCONT)
    os.kill(stopped.pid, signal.SIGCONT)
    ended = site.wait_for(job, JobState.SUCCEEDED)
    psutil.wait_procs([horse], timeout=60)
    assert ended.token == 2
    assert site.effects(job) == {0: 1}
    site.check_history()


def test_work_that_may_not_be_repeated_ends_interrupted(site: Site) -> None:
    job = site.submit("once", steps=200)
    worker = site.start_worker()
    wait_until(lambda: site.effects(job))
    site.horse_of(worker).kill()
    ended = site.wait_for(job, JobState.INTERRUPTED)
    assert "look before you retry" in ended.reason
    site.check_history()


def test_a_job_that_kills_its_workers_is_given_up_and_says_so(site: Site) -> None:
    job = site.submit("die")
    site.start_worker()
    site.start_reconciler()
    ended = site.wait_for(job, JobState.FAILED)
    assert ended.attempt == 3
    assert "poisoned" in ended.reason
    site.check_history()


def test_a_job_without_an_end_is_killed_at_its_wall_limit(site: Site) -> None:
    job = site.submit("swallow")
    worker = site.start_worker()
    ended = site.wait_for(job, JobState.FAILED)
    assert "longer than" in ended.reason
    wait_until(lambda: psutil.Process(worker.pid).children() == [])
    site.check_history()


def test_a_stopping_worker_gives_its_job_back_at_a_safe_point(site: Site) -> None:
    job = site.submit("count", steps=300)
    worker = site.start_worker()
    wait_until(lambda: site.effects(job))
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert site.job(job).state == JobState.QUEUED
    site.start_worker()
    site.start_reconciler()
    ended = site.wait_for(job, JobState.SUCCEEDED)
    assert ended.crashes == 0
    site.check_history()


def test_a_worker_told_to_stop_while_it_claims_gives_the_job_back(site: Site) -> None:
    job = site.submit("wait")
    worker = site.start("worker", die_at="claim committed", by=signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    given_back = site.job(job)
    assert (given_back.state, given_back.crashes) == (JobState.QUEUED, 0)
    site.check_history()


def test_a_job_whose_cancel_and_stop_meet_is_cancelled(site: Site) -> None:
    job = site.submit("stop_itself")
    worker = site.start_worker()
    wait_until(lambda: site.job(job).state != JobState.QUEUED)
    assert worker.wait(timeout=60) == 0
    assert site.job(job).state == JobState.CANCELLED
    site.check_history()


def test_a_renewal_that_hangs_does_not_keep_a_work_horse_beyond_its_lease(site: Site) -> None:
    job = site.submit("wait")
    worker = site.start_worker()
    site.wait_for(job, JobState.RUNNING)
    horse = site.horse_of(worker)
    with site.runtime.sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job).values(title="held"))
        _, alive = psutil.wait_procs([horse], timeout=15)
    assert alive == []


@pytest.mark.parametrize("step", ["worked", "ended"])
def test_a_dead_work_horse_leaves_no_folder_behind(site: Site, step: str) -> None:
    job = site.submit("fill_folder")
    site.start_worker(die_at=step)
    site.start_reconciler()
    site.wait_for(job, JobState.SUCCEEDED)
    wait_until(lambda: not (site.settings.data / "work" / job).exists())


def test_a_job_whose_database_goes_away_in_mid_effect_is_tried_again(site: Site) -> None:
    job = site.submit("lose_database")
    worker = site.start_worker()
    site.wait_for(job, JobState.SUCCEEDED, JobState.FAILED)
    assert site.job(job).state == JobState.SUCCEEDED
    assert site.effects(job) == {1: 1}
    assert worker.poll() is None
    site.check_history()
