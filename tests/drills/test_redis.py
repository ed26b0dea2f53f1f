"""Redis only wakes workers: without it, or after its loss, nothing accepted is lost."""

from portal.jobs.models import JobState
from portal.jobs.wake import rq_queue
from tests.drills.site import Site
from tests.waiting import wait_until


def test_jobs_accepted_while_redis_is_away_are_done_when_it_is_back(site: Site) -> None:
    site.redis.kill()
    jobs = [site.submit("count", subject=str(number), steps=2) for number in range(3)]
    site.redis.start()
    site.start_worker()
    site.start_reconciler()
    for job in jobs:
        site.wait_for(job, JobState.SUCCEEDED)
    site.check_history()


def test_a_flushed_redis_loses_no_job(site: Site) -> None:
    jobs = [site.submit("count", subject=str(number), steps=5) for number in range(10)]
    site.runtime.redis.flushall()
    site.start_worker()
    site.start_reconciler()
    for job in jobs:
        site.wait_for(job, JobState.SUCCEEDED)
    site.check_history()


def test_redis_killed_while_a_job_runs_does_not_disturb_it(site: Site) -> None:
    job = site.submit("count", steps=80)
    site.start_worker()
    wait_until(lambda: site.effects(job))
    site.redis.kill()
    ended = site.wait_for(job, JobState.SUCCEEDED)
    assert ended.attempt == 1
    site.redis.start()
    site.check_history()


def test_a_worker_comes_back_to_work_after_redis_was_away(site: Site) -> None:
    worker = site.start_worker()
    site.start_reconciler()
    first = site.submit("nothing")
    site.wait_for(first, JobState.SUCCEEDED)
    site.redis.kill()
    second = site.submit("nothing", subject="2")
    site.redis.start()
    site.wait_for(second, JobState.SUCCEEDED)
    assert worker.poll() is None


def test_an_entry_that_names_another_function_is_refused(site: Site) -> None:
    proof = site.folder / "forged"
    queue = rq_queue(site.runtime.redis, "bulk")
    queue.enqueue_call("os.mkdir", args=(str(proof),))
    queue.enqueue_call("portal.jobs.runner.perform", args=(["not", "an", "id"],))
    job = site.submit("nothing")
    site.start_worker()
    site.wait_for(job, JobState.SUCCEEDED)
    assert not proof.exists()
    log = (site.folder / "process-0.log").read_text()
    assert log.count("refused a queue entry") == 2


def test_an_entry_that_cannot_be_read_is_refused_in_one_line(site: Site) -> None:
    client, queue = site.runtime.redis, rq_queue(site.runtime.redis, "bulk")
    client.hset("rq:job:undated", mapping={"data": b"\xff", "created_at": "long ago"})
    client.hset("rq:job:binary", mapping={"data": b"\xff"})
    client.rpush(queue.key, b"\xff\xfe", "undated", "binary", "not an id")
    job = site.submit("nothing")
    worker = site.start_worker()
    site.wait_for(job, JobState.SUCCEEDED)
    assert worker.poll() is None
    log = (site.folder / "process-0.log").read_text()
    assert log.count("refused a queue entry") == 4
    assert "Traceback" not in log
    assert not client.exists(queue.intermediate_queue_key)
