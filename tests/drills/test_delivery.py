"""Killed at any line, a run loses no file and sends none twice; the next run ends what it began."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from portal.delivery.states import Direction
from portal.jobs import endings
from portal.jobs.models import Job, JobState
from portal.runtime import Runtime
from tests.delivery.conftest import scripted as scripted
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DRILL_KILLS", "120")) // 8
NAMES = ("a", "b", "c")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Performer:
    """The process that performs jobs in children which it lets die."""

    def __init__(self, runtime: Runtime) -> None:
        settings = runtime.settings
        environment = {
            "PORTAL_DATA": str(settings.data),
            "PORTAL_DATABASE_URL": settings.database_url,
            "PORTAL_REDIS_URL": settings.redis_url,
            "PORTAL_SECRET_KEY": settings.secret_key,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.delivery_process"],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def perform(self, job_id: str, *, die_at: int = 0) -> str:
        """`killed`, or how many lines were done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{die_at} {job_id}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def performer(runtime: Runtime) -> Iterator[Performer]:
    started = Performer(runtime)
    yield started
    started.close()


def lose(site: Site) -> None:
    """Let the leases of dead workers be over, and do what the reconciler does then."""
    with site.runtime.sessions.begin() as session:
        running = update(Job).where(Job.state == JobState.RUNNING)
        session.execute(running.values(lease_until=LONG_AGO))
    endings.recover_expired(site.engine)


def killed_and_ended(site: Site, performer: Performer, line: int) -> bool:
    """Run the channel, killed at `line`, until it ends; False where it ended before that line."""
    job_id = site.ask()
    killed = performer.perform(job_id, die_at=line) == "killed"
    lose(site)
    if _state(site, job_id) == JobState.QUEUED:
        performer.perform(job_id)
    assert _state(site, job_id) == JobState.SUCCEEDED, line
    return killed


def _state(site: Site, job_id: str) -> str:
    with site.runtime.reads() as session:
        return str(session.scalar(select(Job.state).where(Job.id == job_id)))


def lines_of(site: Site, performer: Performer) -> int:
    return int(performer.perform(site.ask()))


def sampled(lines: int) -> list[int]:
    step = max(1, lines // KILLS)
    return list(range(1, lines, step))


def test_sending_killed_at_any_line_delivers_each_file_once(
    runtime: Runtime, scripted: ScriptedServer, performer: Performer
) -> None:
    site = Site(runtime, url=scripted.url(), folder=scripted.folder)
    for name in NAMES:
        site.put(name, f"{name} 0" * 500)
    lines = lines_of(site, performer)
    for line in sampled(lines):
        empty(site)
        scripted.script.commands.clear()
        content = {name: f"{name} {line} ".encode() * 500 for name in NAMES}
        for name in NAMES:
            site.put(name, content[name])
        (site.folder / "b").write_bytes(b"an earlier one")
        assert killed_and_ended(site, performer, line), line
        renamed = Counter(
            command.removeprefix("RNTO ")
            for command in scripted.script.commands
            if command.startswith("RNTO ")
        )
        assert site.there() == content, line
        assert {name: renamed[name] for name in NAMES} == dict.fromkeys(NAMES, 1), line
        assert site.here() == {"cur": list(NAMES)}, line
        assert site.states() == dict.fromkeys(NAMES, "delivered"), line


def test_fetching_killed_at_any_line_receives_each_file_once(
    runtime: Runtime, scripted: ScriptedServer, performer: Performer
) -> None:
    site = Site(runtime, url=scripted.url(), folder=scripted.folder, direction=Direction.FETCH)
    for name in NAMES:
        (site.folder / name).write_bytes(b"x")
    lines = lines_of(site, performer)
    for line in sampled(lines):
        empty(site)
        content = {name: f"{name} {line} ".encode() * 500 for name in NAMES}
        for name in NAMES:
            (site.folder / name).write_bytes(content[name])
        assert killed_and_ended(site, performer, line), line
        new = site.spool.root / "new"
        assert site.there() == {}, line
        assert {path.name: path.read_bytes() for path in new.iterdir()} == content, line
        assert site.here() == {"new": list(NAMES)}, line
        assert site.states() == dict.fromkeys(NAMES, "received"), line


def empty(site: Site) -> None:
    for path in (*site.spool.root.rglob("*"), *site.folder.iterdir()):
        if path.is_file():
            path.unlink()
