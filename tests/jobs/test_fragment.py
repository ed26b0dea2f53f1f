"""The one status fragment: what it says, when it asks again, and what it costs."""

import json

import pytest
from sqlalchemy import update

from portal.accounts.permissions import Role
from portal.app import create_app
from portal.db import db_now
from portal.jobs.models import Job
from portal.jobs.progress import Progress, progress_key
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.jobs.kinds import KINDS
from tests.waiting import wait_until


def status(browser, job_id, **headers):
    return browser.htmx("GET", f"/jobs/{job_id}/status", **headers)


def put_progress(runtime, job_id, **values):
    values = {"attempt": 1} | values
    runtime.redis.set(progress_key(job_id), json.dumps(vars(Progress(**values))))


def test_a_running_job_shows_stage_counts_percent_rate_and_time_to_go(browse, anna, jobs, runtime):
    job_id = jobs.running(actor=anna)
    put_progress(
        runtime, job_id, stage="Packing", done=1500, total=6000, unit="pages", rate=30.0, eta=150.0
    )
    text = status(browse(anna), job_id).text
    for shown in (
        "Running",
        "Packing",
        "1\u202f500 of 6\u202f000",
        "pages",
        "25 %",
        "30",
        "2 min 30 s",
    ):
        assert shown in text


def test_an_active_job_asks_for_itself_again(browse, anna, jobs):
    text = status(browse(anna), jobs.queued(actor=anna)).text
    assert 'hx-trigger="every 2s' in text


def test_an_ended_job_asks_no_more_and_lets_lists_know(browse, anna, jobs):
    answer = status(browse(anna), jobs.ended(actor=anna))
    assert "hx-trigger" not in answer.text
    assert answer.headers["HX-Trigger"] == "job-ended"


def test_an_unchanged_answer_is_304_without_a_body(browse, anna, jobs, clock):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    first = status(browser, job_id)
    clock.move(minutes=3)
    second = status(browser, job_id, **{"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.data) == (304, b"")


def fall_silent(runtime, job_id, *, seconds):
    """Let the job's worker have been heard of so long ago for the last time."""
    left = runtime.settings.lease_seconds - seconds
    with runtime.sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job_id).values(lease_until=db_now(left)))


def test_a_worker_that_is_silent_for_half_a_lease_is_told_with_the_time(
    browse, anna, jobs, runtime
):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    half = runtime.settings.lease_seconds / 2
    fall_silent(runtime, job_id, seconds=half - 3)
    first = status(browser, job_id)
    assert "Nothing was heard of its worker" not in first.text
    fall_silent(runtime, job_id, seconds=half + 1)
    known = {"If-None-Match": first.headers["ETag"]}
    second = wait_until(lambda: (a := status(browser, job_id, **known)).status_code == 200 and a)
    assert "Nothing was heard of its worker since 20" in second.text
    known = {"If-None-Match": second.headers["ETag"]}
    assert status(browser, job_id, **known).status_code == 304


def test_of_a_worker_that_is_heard_again_nothing_is_said(browse, anna, jobs, runtime):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    fall_silent(runtime, job_id, seconds=runtime.settings.lease_seconds)
    assert "Nothing was heard" in browser.get(f"/jobs/{job_id}").text
    fall_silent(runtime, job_id, seconds=0)
    assert "Nothing was heard" not in browser.get(f"/jobs/{job_id}").text


def test_new_progress_is_a_new_answer(browse, anna, jobs, runtime):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    first = status(browser, job_id)
    put_progress(runtime, job_id, stage="Packing", done=1, total=2)
    known = {"If-None-Match": first.headers["ETag"]}
    second = wait_until(lambda: (a := status(browser, job_id, **known)).status_code == 200 and a)
    assert "50 %" in second.text


def test_the_answer_may_be_kept_by_the_browser_but_not_used_unasked(browse, anna, jobs):
    answer = status(browse(anna), jobs.running(actor=anna))
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]


def test_a_queued_job_tells_how_many_are_ahead(browse, anna, jobs):
    jobs.queued(subject="first", actor=anna)
    text = status(browse(anna), jobs.queued(subject="second", actor=anna)).text
    assert "1</span> job ahead in the queue" in text


def test_a_job_in_a_busy_lane_names_the_job_that_it_waits_for(browse, anna, jobs):
    jobs.running(subject="first", title="The first", lane="demo:x", actor=anna)
    text = status(browse(anna), jobs.queued(subject="second", lane="demo:x", actor=anna)).text
    assert "Waits until" in text
    assert "The first" in text


def test_a_blocker_that_one_may_not_see_is_not_named(browse, make_actor, anna, jobs):
    jobs.running(subject="first", title="Hush", lane="demo:x", actor=anna)
    member = make_actor("mia", Role.MEMBER)
    text = status(browse(member), jobs.queued(subject="second", lane="demo:x", actor=member)).text
    assert "Hush" not in text
    assert "another person" in text


def test_a_job_that_runs_for_over_six_hours_is_called_hung(browse, anna, jobs, clock):
    job_id = jobs.running(actor=anna)
    browser = browse(anna)
    clock.move(hours=6, minutes=1)
    browser.sign_in(anna.name)
    assert "Hung" in status(browser, job_id).text


def test_a_failed_job_gives_its_reason_and_offers_another_try(browse, anna, jobs):
    text = status(browse(anna), jobs.ended("fail", actor=anna)).text
    assert "An administrator can see the details." in text
    assert "/retry" in text


def test_an_ended_job_keeps_the_progress_it_had(browse, anna, jobs, runtime):
    job_id = jobs.ended("talk", actor=anna)
    runtime.redis.flushall()
    assert "nearly" in status(browse(anna), job_id).text


def test_who_may_not_manage_a_job_gets_no_buttons(browse, make_actor, jobs):
    member = make_actor("mia", Role.MEMBER)
    text = status(browse(member), jobs.queued(actor=member)).text
    assert "/cancel" not in text


def test_a_job_that_is_not_ones_own_is_not_there(browse, make_actor, jobs, anna):
    member = make_actor("mia", Role.MEMBER)
    assert status(browse(member), jobs.queued(actor=anna)).status_code == 404


def test_a_kind_may_show_its_jobs_to_others(browse, make_actor, jobs, anna):
    colleague = make_actor("otto", Role.OPERATOR)
    assert status(browse(colleague), jobs.queued(actor=anna)).status_code == 200


def test_a_job_that_was_asked_to_stop_says_so_and_has_no_cancel_button(browse, anna, jobs, runtime):
    job_id = jobs.running(actor=anna)
    with runtime.sessions.begin() as session:
        session.execute(
            update(Job).where(Job.id == job_id).values(cancel_requested_at=runtime.clock())
        )
    text = status(browse(anna), job_id).text
    assert "Stopping" in text
    assert "/cancel" not in text


@pytest.fixture
def without_redis(make_settings, clock):
    """A runtime whose Redis is not there."""
    opened = Runtime.open(make_settings(redis_url="unix:///nowhere/redis.sock"), clock=clock)
    yield opened
    opened.close()


def test_without_redis_a_queued_job_says_that_nothing_is_lost(without_redis, anna, jobs):
    text = rendered(without_redis, anna, jobs.queued(actor=anna))
    assert "Waiting for the queue service; nothing is lost." in text


def test_without_redis_a_running_job_says_that_its_progress_is_not_live(without_redis, anna, jobs):
    text = rendered(without_redis, anna, jobs.running(actor=anna))
    assert "not live" in text


def rendered(runtime, actor, job_id):
    app = create_app(runtime.settings, runtime=runtime, kinds=KINDS)
    browser = Browser(app)
    browser.sign_in(actor.name)
    answer = status(browser, job_id)
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    return answer.text
