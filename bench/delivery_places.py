"""Where the bench of deliveries runs: a vsftpd, near or far away, a portal, and the peer lftp."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from bench.delivery_worker import settings_of
from portal.accounts.permissions import SYSTEM
from portal.assembly import KINDS
from portal.delivery.channels import add_channel
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import Options, add_endpoint
from portal.delivery.models import Channel
from portal.delivery.orders import Asking, run_now
from portal.delivery.spool import Spool
from portal.delivery.states import Direction
from portal.jobs.models import Job
from portal.migrations.run import upgrade
from portal.runtime import Runtime
from tests.delivery.real_servers import RealServer, running_vsftpd

HERE = "127.0.0.1"
FAR = "127.0.0.2"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server as its callers see it."""

    url: str
    folder: Path

    def empty(self) -> None:
        """Remove what was sent."""
        for path in self.folder.iterdir():
            path.unlink()

    def count_whole(self, files: dict[str, str]) -> int:
        """How many of these files are there with the content that has this SHA-256."""
        there = {path.name: path for path in self.folder.iterdir()}
        return sum(
            name in there and sum_of(there[name]) == digest for name, digest in files.items()
        )


@contextmanager
def near() -> Iterator[Place]:
    """A server on this machine."""
    with running_vsftpd() as server:
        yield Place(url=server.url, folder=server.folder)


@contextmanager
def far(*, milliseconds: int = 0, cut: int = 0) -> Iterator[Place]:
    """The same behind a line with this round trip, of which each `cut`-th connection is cut."""
    with running_vsftpd(pasv_address=FAR) as server, _line(server, milliseconds, cut):
        yield Place(url=server.url.replace(HERE, FAR), folder=server.folder)


@contextmanager
def _line(server: RealServer, milliseconds: int, cut: int) -> Iterator[None]:
    ports = [server.port, *server.passive]
    command = [sys.executable, "-m", "bench.slow_line", milliseconds, cut, HERE, FAR, *ports]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.terminate()


class Sender:
    """A portal with one channel to a place."""

    def __init__(self, folder: Path, *, place: Place, redis_url: str, connections: int) -> None:
        folder.mkdir()
        self._folder = folder
        self._redis_url = redis_url
        runtime = Runtime.open(settings_of(folder, redis_url))
        upgrade(runtime.engine)
        with runtime.sessions.begin() as session:
            add_endpoint(
                session,
                actor=SYSTEM,
                name="partner",
                url=place.url,
                options=Options(connections=connections),
                vault=open_vault(runtime.settings),
                now=runtime.clock(),
            )
            channel: Channel = add_channel(
                session,
                actor=SYSTEM,
                name="files",
                endpoint="partner",
                spool="files",
                direction=Direction.SEND,
                settings=runtime.settings,
                now=runtime.clock(),
            )
            self._spool = Spool(Path(channel.spool))
        runtime.close()

    def fill(self, source: Path) -> None:
        """Let all files of `source` wait, as new ones."""
        new = self._spool.root / "new"
        for path in source.iterdir():
            (new / path.name).write_bytes(path.read_bytes())
        for path in (self._spool.root / "cur").iterdir():
            path.unlink()
        os.sync()  # what fills the spool is on the disk before the clock starts

    def send(self) -> tuple[float, float]:
        """Let a worker send them; return its seconds, and the peak of its memory in MB."""
        job_id = self._ask()
        command = [sys.executable, "-m", "bench.delivery_worker", str(self._folder), job_id]
        done = subprocess.run([*command, self._redis_url], check=True, capture_output=True)
        self._check(job_id)
        seconds, memory = json.loads(done.stdout)
        return seconds, memory

    def _ask(self) -> str:
        runtime = Runtime.open(settings_of(self._folder, self._redis_url))
        with runtime.sessions.begin() as session:
            asking = Asking(
                actor=SYSTEM, kinds=KINDS, waker=lambda _queue, _job: True, now=runtime.clock()
            )
            job_id = run_now(session, asking, name="files").job.id
        runtime.close()
        return job_id

    def _check(self, job_id: str) -> None:
        runtime = Runtime.open(settings_of(self._folder, self._redis_url))
        with runtime.reads() as session:
            job = session.scalars(select(Job).where(Job.id == job_id)).one()
            if job.state != "succeeded" or any((self._spool.root / "new").iterdir()):
                raise SystemExit(f"the delivery ended {job.state}: {job.reason} {job.result}")
        runtime.close()


def mirror(source: Path, place: Place, *, connections: int) -> None:
    """`lftp` with temporary names; it says nothing of files that it lost."""
    opened, _, folder = place.url.rpartition("/")
    script = (
        "set xfer:use-temp-file yes; set ftp:prefer-epsv yes; set net:reconnect-interval-base 1;"
        f"open {opened}; mirror -R --no-perms --parallel={connections} {source} /{folder}; exit"
    )
    subprocess.run(["lftp", "-c", script], check=False, capture_output=True)


def make_files(folder: Path, *, count: int, size: int) -> dict[str, str]:
    """Files of one size, each with a content of its own; return their sums by name."""
    folder.mkdir()
    for number in range(count):
        head = f"{number:020}\n".encode()
        (folder / f"file-{number:05}.bin").write_bytes(head + os.urandom(size - len(head)))
    return {path.name: sum_of(path) for path in sorted(folder.iterdir())}


def sum_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as stream:
        digest = sha256()
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def names_of(cases: Sequence[str], known: Sequence[str]) -> list[str]:
    """The cases that were asked for, all where none was."""
    unknown = set(cases) - set(known)
    if unknown:
        raise SystemExit(f"unknown cases: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return list(cases or known)
