"""Portal's web server with a signed-in admin, for benches that ask it over HTTP."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from portal.accounts import service as accounts
from portal.accounts.permissions import SYSTEM, Role
from portal.app import create_app
from portal.migrations.run import upgrade
from portal.runtime import Runtime
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser
from tests.servers import running_redis
from tests.waiting import wait_until

SECONDS = 5
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, kw_only=True)
class Load:
    """What wrk measured: requests per second, the 99th percentile in ms, answers not 2xx or 3xx."""

    rate: float
    p99: float
    errors: int


@dataclass(frozen=True, kw_only=True)
class Site:
    """A web server's port, its runtime, and the cookie of an admin."""

    port: int
    runtime: Runtime
    cookie: str


@contextmanager
def site() -> Iterator[Site]:
    """Portal as shipped: gunicorn, SQLite, a Redis on a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="bench-site-") as name, running_redis() as redis:
        settings = Settings(
            data=Path(name),
            redis_url=redis.url,
            secret_key="a-key-for-benches-only-0123456789-abcdef",
        )
        runtime = Runtime.open(settings)
        upgrade(runtime.engine)
        environment = {
            "PORTAL_DATA": name,
            "PORTAL_REDIS_URL": redis.url,
            "PORTAL_SECRET_KEY": settings.secret_key,
        }
        cookie = _signed_in(settings, runtime)
        with web_server("portal.wsgi:app", settings, environment) as port:
            yield Site(port=port, runtime=runtime, cookie=cookie)
        runtime.close()


@contextmanager
def web_server(application: str, settings: Settings, environment: dict[str, str]) -> Iterator[int]:
    """`application` under gunicorn, with the settings that Portal ships; yields its port."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, "--worker-class", "gthread"]
        + ["--workers", str(settings.web_processes), "--threads", str(settings.web_threads)]
        + ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket"],
        env=os.environ | environment,
    )
    try:
        wait_until(lambda: _answers(port))
        yield port
    finally:
        server.terminate()
        server.wait()


def measure(url: str, *, headers: dict[str, str], seconds: int = SECONDS) -> Load:
    """Ask for `url` with 50 connections for some seconds."""
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t2", "-c50", f"-d{seconds}s", "--latency", *given, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", output)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return Load(
        rate=float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0]),
        p99=float(p99[1]) * UNITS[p99[2]] if p99 else float("inf"),
        errors=int(errors[1]) if errors else 0,
    )


def _signed_in(settings: Settings, runtime: Runtime) -> str:
    with runtime.sessions.begin() as session:
        accounts.create_user(
            session,
            actor=SYSTEM,
            name="boss",
            roles=(Role.ADMIN,),
            password=PASSWORD,
            must_change_password=False,
            now=runtime.clock(),
        )
    browser = Browser(create_app(settings, runtime=runtime))
    browser.sign_in("boss")
    return f"portal={browser.cookie()}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()
