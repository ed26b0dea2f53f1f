"""`portal up` as a whole: refusals in words, one stream, a private data folder."""

import json
import signal
import socket
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from redis import Redis

from portal.redis_server import redis_url
from portal.settings import Settings
from portal.up import Readiness, address, health_status, programs
from tests.waiting import wait_until

FOREVER = "import signal; print('at work', flush=True); signal.pause()"
EMBEDDED = {"PORTAL_REDIS_URL": ""}
REDIS = {"environment": EMBEDDED, "redis": True}


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def answering():
    """`answering(*statuses)`: the port of a server that answers so, the last one for ever."""
    started = []

    def start(*statuses):
        server = HTTPServer(("127.0.0.1", 0), Health)
        server.statuses = list(statuses)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        started.append((server, thread))
        return server.server_port

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


def all_programs(settings, *, workers=2):
    return programs(settings, host="127.0.0.1", port=8000, workers=workers)


def test_a_second_portal_on_the_same_data_is_refused_in_words(launch, data):
    first = launch({"name": "web", "code": FOREVER})
    first.says("at work")
    second = launch({"name": "web", "code": FOREVER})
    assert second.ends() == 1
    second.says(f"Another portal runs on {data} (process {first.process.pid}).")
    assert second.alive() == []
    assert len(first.alive()) == 2


def test_a_killed_portal_does_not_hold_its_data(launch):
    first = launch({"name": "web", "code": FOREVER})
    first.says("at work")
    first.signal(signal.SIGKILL)
    first.ends()
    second = launch({"name": "web", "code": FOREVER})
    second.says("at work")


def test_a_taken_port_is_refused_before_anything_starts(launch, port):
    with socket.create_server(("127.0.0.1", port)):
        tree = launch({"name": "web", "code": FOREVER})
        assert tree.ends() == 1
    (line,) = tree.says(f"Nothing can listen on 127.0.0.1 port {port}: Address already in use.")
    assert tree.lines == [line]


def test_a_data_folder_that_cannot_be_made_is_refused_in_words(launch, data):
    data.touch()
    tree = launch({"name": "web", "code": FOREVER})
    assert tree.ends() == 1
    tree.says(f"The data folder {data} cannot be made")


def test_what_the_portal_makes_is_for_its_owner_only(launch, data):
    tree = launch({"name": "web", "code": "open('made', 'w'); print('made', flush=True)"}, **REDIS)
    tree.says("started program=redis")
    wait_until((data / "redis" / "redis.sock").exists)
    assert stat.S_IMODE(data.stat().st_mode) == 0o711
    loose = [one for one in data.rglob("*") if stat.S_IMODE(one.stat().st_mode) & 0o077]
    assert loose == []


def test_its_own_redis_is_ready_before_the_web_starts(launch, data):
    tree = launch({"name": "web", "code": FOREVER}, **REDIS)
    tree.says("at work")
    order = [line for line in tree.lines if "ready program=redis" in line or "at work" in line]
    assert "redis" in order[0]
    with Redis.from_url(redis_url(Settings(data=data))) as client:
        assert client.ping()


def test_its_own_redis_also_runs_without_one_on_the_path(launch):
    environment = {"PORTAL_REDIS_URL": "", "PATH": ""}
    tree = launch({"name": "web", "code": FOREVER}, redis=True, environment=environment)
    tree.says("ready program=redis")
    tree.signal(signal.SIGTERM)
    assert tree.ends() == 0
    assert tree.alive() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_redis_ends_with_the_portal(launch, number):
    tree = launch({"name": "web", "code": FOREVER}, **REDIS)
    tree.says("at work")
    assert len(tree.alive()) == 3
    tree.signal(number)
    tree.ends()
    wait_until(lambda: not tree.alive())


def test_each_line_of_the_stream_is_json_where_that_is_set(launch):
    code = "print('plain', flush=True); print('{\"event\": \"own\"}', flush=True);" + FOREVER
    tree = launch({"name": "web", "code": code}, environment={"PORTAL_LOG_FORMAT": "json"})
    tree.says("at work")
    events = [json.loads(line) for line in tree.lines if line != "migrating"]
    assert {one["part"] for one in events} == {"portal", "web"}
    assert [one["event"] for one in events if one["part"] == "web"] == ["plain", "own", "at work"]


def test_a_database_that_cannot_be_prepared_ends_the_start_in_words(launch):
    tree = launch({"name": "web", "code": FOREVER}, fault="no such host")
    assert tree.ends() == 1
    tree.says("The database cannot be prepared: no such host")
    assert "at work" not in "".join(tree.lines)


def test_a_portal_is_redis_web_a_worker_per_queue_and_the_reconciler(data):
    names = [one.name for one in all_programs(Settings(data=data))]
    assert names == ["redis", "web", "quick", "delivery", "bulk-1", "bulk-2", "reconciler"]


def test_the_address_is_told_with_the_first_worker(data):
    (telling,) = [one for one in all_programs(Settings(data=data)) if one.announcement]
    assert (telling.name, telling.announcement) == ("quick", "Portal is at http://127.0.0.1:8000")


def test_a_redis_of_ones_own_is_not_started_beside(data):
    settings = Settings(data=data, redis_url="redis://elsewhere:6379")
    assert "redis" not in [one.name for one in all_programs(settings)]


def test_only_redis_is_a_foundation(data):
    assert [one.name for one in all_programs(Settings(data=data)) if one.foundation] == ["redis"]


def test_each_worker_listens_to_one_queue(data):
    workers = [one for one in all_programs(Settings(data=data)) if "worker.py" in str(one.command)]
    assert [one.command[-1] for one in workers] == ["quick", "delivery", "bulk", "bulk"]


def test_gunicorn_shares_no_control_socket_and_trusts_no_proxy_by_itself(data):
    (web,) = [one for one in all_programs(Settings(data=data)) if one.name == "web"]
    assert "--no-control-socket" in web.command
    assert web.command[web.command.index("--forwarded-allow-ips") + 1] == ""


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("portal.example", "http://portal.example:8000"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host, url):
    assert address(host, 8000) == url


def test_nobody_answers_on_a_free_port(port):
    assert health_status("127.0.0.1", port) is None
    assert not Readiness("127.0.0.1", port)()


def test_the_portal_is_ready_once_it_is_well(answering):
    port = answering(503, 200)
    is_ready = Readiness("127.0.0.1", port)
    assert [is_ready(), is_ready()] == [False, True]


def test_a_portal_that_does_not_become_well_is_told_of_after_a_while(answering):
    port, times = answering(503, 503), iter([100.0, 100.0, 109.9, 110.0])
    is_ready = Readiness("127.0.0.1", port, patience=10, clock=lambda: next(times))
    assert [is_ready(), is_ready(), is_ready()] == [False, False, True]
