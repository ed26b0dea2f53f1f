"""The portal with all its real parts: up, healed and down again."""

import json
import signal
import sys
import urllib.request

import psutil
import pytest
from redis import Redis

from portal.redis_server import redis_url
from portal.settings import Settings
from portal.up import health_status
from tests.waiting import wait_until

PARTS = {"redis", "web", "quick", "delivery", "bulk-1", "reconciler"}


@pytest.fixture
def start(plant, data, port):
    def start():
        plan = json.dumps({"port": port})
        command = [sys.executable, "-m", "tests.up.launcher", plan]
        return plant(command, PORTAL_DATA=str(data), PORTAL_REDIS_URL="", PORTAL_DATABASE_URL="")

    return start


def pids(tree):
    started = [line.partition("program=")[2] for line in tree.lines if "started program=" in line]
    return {line.split(" pid=")[0]: int(line.split(" pid=")[1]) for line in started}


def workers_of(gunicorn):
    return psutil.Process(gunicorn).children()


def test_it_signs_in_visitors_and_ends_within_ten_seconds(start, port):
    tree = start()
    tree.says("Portal is at http://127.0.0.1:")
    tree.says("started program=reconciler")
    assert set(pids(tree)) == PARTS
    assert len(tree.says("one-time password")) == 1
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/login") as answer:
        assert answer.status == 200
    tree.signal(signal.SIGTERM)
    assert tree.ends(timeout=10) == 0
    assert tree.alive() == []
    assert health_status("127.0.0.1", port) is None


def test_it_is_well_as_soon_as_its_address_is_told(start, port):
    tree = start()
    tree.says("Portal is at")
    assert health_status("127.0.0.1", port) == 200


def test_a_second_start_tells_no_password(start):
    first = start()
    first.says("one-time password")
    first.signal(signal.SIGTERM)
    first.ends()
    second = start()
    second.says("Portal is at")
    assert not [line for line in second.lines if "one-time password" in line]


def test_a_killed_launcher_leaves_no_part_within_two_seconds(start):
    tree = start()
    tree.says("started program=reconciler")
    tree.says("Booting worker", times=2)
    assert len(tree.alive()) >= len(PARTS) + 1
    tree.signal(signal.SIGKILL)
    tree.ends()
    wait_until(lambda: not tree.alive())


def test_a_killed_web_server_takes_its_workers_along_and_answers_again(start, port):
    tree = start()
    tree.says("Portal is at")
    gunicorn = pids(tree)["web"]
    workers = workers_of(gunicorn)
    psutil.Process(gunicorn).kill()
    tree.says("started program=web", times=2)
    assert not any(worker.is_running() for worker in workers)
    wait_until(lambda: health_status("127.0.0.1", port) is not None)


def test_a_killed_redis_comes_back_with_its_data(start, data):
    tree = start()
    tree.says("ready program=redis")
    with Redis.from_url(redis_url(Settings(data=data))) as client:
        client.set("kept", "yes")
        psutil.Process(pids(tree)["redis"]).kill()
        tree.says("ready program=redis", times=2)
        assert client.get("kept") == b"yes"
