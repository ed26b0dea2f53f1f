"""`portal up`: the whole portal as one foreground command."""

import contextlib
import dataclasses
import fcntl
import http.client
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import structlog

from portal.child import Program
from portal.errors import PortalError
from portal.logs import LogStream, configure_logging
from portal.processes import Supervisor
from portal.redis_server import RedisServer
from portal.settings import Settings

Reporter = Callable[[str], None]

PART = "portal"
ANSWER_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
_MEMORY = Path("/dev/shm")  # noqa: S108 (gunicorn makes unnamed files there)
_HERE = Path(__file__).parent

log = structlog.get_logger("portal.up")


class UpError(PortalError):
    """The portal cannot be started; the message says why."""


def programs(settings: Settings, *, host: str, port: int, workers: int) -> tuple[Program, ...]:
    """Return all that a portal consists of, in the order of its start; `workers` are bulk's.

    The address is told when the web server answers and the first worker is there.
    """
    redis = () if settings.redis_url else (_redis(RedisServer.of(settings)),)
    bulk = tuple(_worker("bulk", f"-{number}") for number in range(1, workers + 1))
    first_worker = dataclasses.replace(
        _worker("quick"),
        is_ready=Readiness(host, port),
        announcement=f"Portal is at {address(host, port)}",
    )
    return (
        *redis,
        _web(settings, host=host, port=port),
        first_worker,
        _worker("delivery"),
        *bulk,
        Program(name="reconciler", command=(sys.executable, "-P", "-m", "portal.reconcile")),
    )


def run(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int,
    migrate: Callable[[Settings], None],
    first_password: Callable[[Settings], str | None],
    reporter: Reporter,
    parts: tuple[Program, ...] | None = None,
) -> int:
    """Run the portal until a signal ends it; return the exit status.

    `migrate` prepares the database once Redis runs; `first_password` makes the first admin, if
    there is none, and returns the one-time password. `parts` stand in for `programs(…)`.
    """
    configure_logging(settings, part=PART, stream=sys.stdout)
    report = _undisturbed(reporter)
    try:
        make_data_folder(settings.data)
        os.umask(0o077)
        with held_lock(settings.data):
            refuse_taken_port(host, port)
            if not settings.redis_url:
                RedisServer.of(settings).make_folders()
            if parts is None:
                parts = programs(settings, host=host, port=port, workers=workers)
            return _run(settings, parts, migrate, first_password, report)
    except PortalError as error:
        report(str(error))
        return 1


def make_data_folder(data: Path) -> None:
    """Make the data folder if it is missing: others may pass through it, but not look into it."""
    try:
        if not data.is_dir():
            data.mkdir(parents=True)
            data.chmod(0o711)
    except OSError as error:
        raise UpError(f"The data folder {data} cannot be made: {error.strerror}.") from error
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise UpError(
            f"The data folder {data} belongs to somebody else; Portal cannot write there."
        )


@contextmanager
def held_lock(data: Path) -> Iterator[None]:
    """Hold the data folder against a second `portal up`; the kernel frees it with this process."""
    handle = os.open(data / "portal.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "unknown"
            raise UpError(
                f"Another portal runs on {data} (process {holder}). Stop it, or give this one "
                "another folder in PORTAL_DATA."
            ) from None
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def refuse_taken_port(host: str, port: int) -> None:
    """Raise UpError if nothing could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UpError(
            f"Nothing can listen on {host} port {port}: {error.strerror}. "
            "Choose another with --port or --host."
        ) from error


class Readiness:
    """Says whether people can be sent to the portal: it is well, as `/healthz` tells it.

    One that answers but does not become well within `patience` seconds is ready all the same:
    its pages say what is missing.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = (host, port)
        self._patience = patience
        self._clock = clock
        self._first_answer: float | None = None

    def __call__(self) -> bool:
        """Ask once."""
        status = health_status(*self._place)
        if status is None:
            return False
        if self._first_answer is None:
            self._first_answer = self._clock()
        return status == HTTPStatus.OK or self._clock() - self._first_answer >= self._patience


def health_status(host: str, port: int) -> int | None:
    """The status with which the web server answers for its health, None where it does not."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def address(host: str, port: int) -> str:
    """Return the URL under which a browser on this machine finds the portal."""
    return f"http://{_bracketed(_reachable(host))}:{port}"


def _run(
    settings: Settings,
    parts: tuple[Program, ...],
    migrate: Callable[[Settings], None],
    first_password: Callable[[Settings], str | None],
    report: Reporter,
) -> int:
    stream = LogStream(sys.stdout, log_format=settings.log_format)
    with Supervisor(
        relay=stream.relay, announce=report, stop_seconds=settings.stop_seconds
    ) as supervisor:
        supervisor.start(_at_home(settings, [one for one in parts if one.foundation]))
        try:
            migrate(settings)
            password = first_password(settings)
        except Exception as error:
            log.exception("the database cannot be prepared")
            raise UpError(f"The database cannot be prepared: {error}") from error
        if password:
            report(f"Sign in as admin with the one-time password {password} (shown only now).")
        supervisor.start(_at_home(settings, [one for one in parts if not one.foundation]))
        supervisor.watch()
    return 0


def _at_home(settings: Settings, parts: list[Program]) -> Iterator[Program]:
    """Let each part find the same data folder, and write its log as the launcher reads it."""
    common = {
        "PORTAL_DATA": str(settings.data),
        "PORTAL_LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
    }
    for part in parts:
        yield dataclasses.replace(part, environment={**common, **part.environment})


def _undisturbed(reporter: Reporter) -> Reporter:
    """A user who closed the terminal's pipe must not stop the portal."""

    def report(message: str) -> None:
        with contextlib.suppress(OSError):
            reporter(message)

    return report


def _redis(server: RedisServer) -> Program:
    return Program(name="redis", command=server.command, is_ready=server.is_ready, foundation=True)


def _web(settings: Settings, *, host: str, port: int) -> Program:
    scratch = _MEMORY if _MEMORY.is_dir() else settings.data
    graceful = max(1, int(settings.stop_seconds) - 2)
    return Program(
        name="web",
        command=(
            *(sys.executable, "-P", "-m", "gunicorn", "portal.wsgi:app"),
            *("--config", "python:portal.serving", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", str(settings.web_processes)),
            *("--threads", str(settings.web_threads), "--worker-tmp-dir", str(scratch)),
            *("--bind", f"{_bracketed(host)}:{port}", "--graceful-timeout", str(graceful)),
            *("--forwarded-allow-ips", ""),
        ),
        is_ready=lambda: health_status(host, port) is not None,
    )


def _worker(queue: str, number: str = "") -> Program:
    inside = _HERE / "_ui" / "worker.py"
    script = inside if inside.exists() else _HERE.parent / "worker.py"
    return Program(name=f"{queue}{number}", command=(sys.executable, "-P", str(script), queue))


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
