"""A Redis on a TCP port of its own, set up as an administrator might have done it."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from tests.waiting import wait_until


@contextmanager
def redis_on_tcp(*options: str) -> Iterator[int]:
    """Yield the port of a Redis that runs with these options."""
    folder = tempfile.mkdtemp(prefix="portal-redis-tcp-")
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "0.0.0.0", "--protected-mode", "no"]
        + ["--dir", folder, "--save", "", *options],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port))
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    client = Redis(port=port)
    try:
        return bool(client.ping())
    except AuthenticationError:
        return True
    except RedisError:
        return False
    finally:
        client.close()
