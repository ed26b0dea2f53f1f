"""Real servers for tests: a Redis and a PostgreSQL per test process, on Unix sockets only."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.waiting import wait_until

MEMORY, DISK = Path("/dev/shm"), Path("/var/tmp")
ROOM = 2 * 1024**3
_FLEETING = ["-F", "--shared_buffers=32MB", "--max_wal_size=64MB", "--min_wal_size=32MB"]
_DURABLE = ["--fsync=on", "--shared_buffers=256MB", "--max_wal_size=4GB"]


class RedisProcess:
    """A Redis of one's own that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir"]
            + [str(self.folder), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        client = Redis.from_url(self.url)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


@contextmanager
def running_redis() -> Iterator[RedisProcess]:
    folder = Path(tempfile.mkdtemp(prefix="portal-redis-"))
    server = RedisProcess(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


class Postgres:
    """A PostgreSQL cluster of one's own; `create(template)` makes a database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        self._made += 1
        name = f"t{self._made}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A cluster; a durable one is on disk, syncs what it commits, and has room, as a real one."""
    place = DISK if durable else _in_memory()
    folder = Path(tempfile.mkdtemp(prefix="portal-pg-", dir=place))
    owner = _owner(folder)
    data = folder / "data"
    subprocess.run(
        [_binary("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"],
        check=True,
        stdout=subprocess.DEVNULL,
        **owner,
    )
    server = subprocess.Popen(
        [_binary("postgres"), "-D", str(data), "-k", str(folder), "-h", ""]
        + ["--max_connections=200"]
        + (_DURABLE if durable else _FLEETING),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **owner,
    )
    cluster = Postgres(folder)
    try:
        wait_until(lambda: _accepts(cluster))
        yield cluster
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def _in_memory() -> Path | None:
    """Where a cluster loses nothing that matters, and a new database takes a tenth of the time."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


def _owner(folder: Path) -> dict[str, int]:
    """PostgreSQL refuses to run as root; there the cluster belongs to Debian's user for it."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o755)
    return {"user": account.pw_uid, "group": account.pw_gid}


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path is not None, "PostgreSQL is not installed; run `make test-setup`"
    return path


def _accepts(cluster: Postgres) -> bool:
    try:
        with psycopg.connect(cluster.url("postgres"), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False
