"""What machines ask: health in words, figures for Prometheus."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from portal.app import create_app
from portal.jobs.presence import Presence
from tests.jobs.kinds import KINDS

TOKEN = "a-token-for-scrapes"


@pytest.fixture
def settings(make_settings):
    return make_settings(metrics_token=TOKEN)


def scrape(client):
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_portal_with_a_worker_is_well(client, runtime):
    Presence(runtime.redis, queue="bulk").beat()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json["workers"]) == (200, "ok")


def test_a_portal_without_a_worker_is_not(client):
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {"database": "ok", "redis": "ok", "workers": "away"}


def test_figures_need_the_token_wherever_one_asks_from(client):
    assert client.get("/metrics").status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert client.get("/metrics", headers=wrong).status_code == 401


def test_an_admin_may_see_the_figures(browse, boss):
    assert browse(boss).get("/metrics").status_code == 200


def test_an_operator_may_not(browse, anna):
    assert browse(anna).get("/metrics").status_code == 401


def test_jobs_are_counted_by_state_and_kind(client, jobs):
    jobs.ended("fail")
    jobs.queued(subject="2")
    figures = scrape(client)
    failed = (("kind", "test.fail"), ("state", "failed"))
    assert figures["portal_jobs", failed] == 1
    assert figures["portal_job_duration_seconds_count", failed] == 1
    assert figures["portal_jobs", (("kind", "test.nothing"), ("state", "queued"))] == 1


def test_the_age_of_the_oldest_queued_job_is_told(client, jobs, clock):
    jobs.queued()
    clock.move(minutes=2)
    assert scrape(client)["portal_queue_oldest_seconds", (("queue", "bulk"),)] >= 119


def test_answers_are_timed_by_endpoint(client):
    client.get("/healthz")
    labels = (("endpoint", "jobs.monitoring.show_health"), ("status", "5xx"))
    assert scrape(client)["portal_http_seconds_count", labels] >= 1


def test_without_redis_the_figures_of_the_database_are_there(make_settings, jobs):
    jobs.queued()
    gone = make_settings(metrics_token=TOKEN, redis_url="unix:///nowhere/redis.sock")
    app = create_app(gone, kinds=KINDS)
    figures = scrape(app.test_client())
    assert figures["portal_redis_up", ()] == 0
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    app.extensions["portal"].runtime.close()
