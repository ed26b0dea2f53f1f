"""A site of real processes for a drill: its own Redis, workers and reconciler, short leases."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from portal.accounts.permissions import SYSTEM
from portal.jobs import service
from portal.jobs.models import ENDED, Job, JobState
from portal.jobs.service import Subject
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime
from portal.settings import Settings
from tests.drills.kinds import KINDS, POSTGRES_TRIGGER, SCHEMA, SQLITE_TRIGGER
from tests.servers import RedisProcess
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
FORWARD = {
    (JobState.QUEUED, JobState.RUNNING),
    (JobState.QUEUED, JobState.CANCELLED),
    *((JobState.RUNNING, end) for end in ENDED),
}


class Site:
    """What a drill works with. Everything it starts, it ends."""

    def __init__(self, settings: Settings, redis: RedisProcess, folder: Path) -> None:
        self.settings = settings
        self.redis = redis
        self.folder = folder
        self.runtime = Runtime.open(settings)
        self.processes: list[subprocess.Popen[bytes]] = []
        with self.runtime.engine.begin() as connection:
            for statement in self._schema():
                connection.execute(text(statement))

    def _schema(self) -> tuple[str, ...]:
        if self.runtime.engine.dialect.name == "sqlite":
            return (*SCHEMA, SQLITE_TRIGGER)
        return (*SCHEMA, *POSTGRES_TRIGGER)

    def with_attempts(self, number: int) -> "Site":
        """The same site, whose jobs are tried `number` times before they count as poisoned."""
        self.settings = self.settings.model_copy(update={"max_attempts": number})
        return self

    def start(
        self, role: str, *, die_at: str = "", by: signal.Signals = signal.SIGKILL
    ) -> subprocess.Popen[bytes]:
        mark = str(self.folder / "mark")
        command = [sys.executable, "-m", "tests.drills.process", role]
        return self.run(command, DRILL_DIE_AT=die_at, DRILL_MARK=mark, DRILL_SIGNAL=by.name)

    def run(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Start a process of this site; its output goes to a file."""
        with (self.folder / f"process-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | self._environment() | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        values = {name: getattr(self.settings, name) for name in type(self.settings).model_fields}
        return {
            f"PORTAL_{name.upper()}": str(value)
            for name, value in values.items()
            if value not in ("", (), None)
        }

    def start_worker(self, *, die_at: str = "") -> subprocess.Popen[bytes]:
        return self.start("worker", die_at=die_at)

    def start_reconciler(self) -> subprocess.Popen[bytes]:
        return self.start("reconciler")

    def submit(self, kind: str, *, subject: str = "1", wake: bool = True, **values: Any) -> str:
        def awake(queue: str, job_id: str) -> bool:
            return wake and RedisWaker(self.runtime.redis)(queue, job_id)

        lane, queue = values.pop("lane", None), values.pop("queue", None)
        with self.runtime.sessions.begin() as session:
            return service.submit(
                session,
                kind=KINDS.get(f"drill.{kind}"),
                actor=SYSTEM,
                args=values,
                title=f"Drill {kind}",
                subject=Subject(kind="drill", id=subject),
                waker=awake,
                now=self.runtime.clock(),
                lane=lane,
                queue=queue,
            ).job.id

    def read(self, look: Callable[[Session], Any]) -> Any:
        with self.runtime.reads() as session:
            return look(session)

    def job(self, job_id: str) -> Job:
        return self.read(lambda session: session.scalars(select(Job).where(Job.id == job_id)).one())

    def wait_for(self, job_id: str, *states: JobState, timeout: float = 240.0) -> Job:
        wait_until(lambda: self.job(job_id).state in states, timeout=timeout)
        return self.job(job_id)

    def effects(self, job_id: str) -> Counter[int]:
        query = text("SELECT step FROM drill_effect WHERE job_id = :job")
        rows = self.read(lambda session: session.execute(query, {"job": job_id}).all())
        return Counter(row.step for row in rows)

    def horse_of(self, worker: subprocess.Popen[bytes]) -> psutil.Process:
        return wait_until(lambda: _children(worker.pid))[0]

    def redis_away(self) -> bool:
        try:
            return not Redis.from_url(self.redis.url).ping()
        except RedisError:
            return True

    def check_history(self) -> None:
        """No effect twice, and every attempt's state only went forward."""
        query = text(
            "SELECT job_id, step, count(*) AS times FROM drill_effect "
            "GROUP BY job_id, step HAVING count(*) > 1"
        )
        assert self.read(lambda session: session.execute(query).all()) == []
        moves = self.read(
            lambda session: session.execute(text("SELECT old, new FROM drill_history")).all()
        )
        assert {(JobState(move.old), JobState(move.new)) for move in moves} <= FORWARD

    def close(self) -> None:
        horses = [child for process in self.processes for child in _children(process.pid)]
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        _, alive = psutil.wait_procs(horses, timeout=5)
        self.runtime.close()
        assert alive == [], "a work-horse outlived its worker"


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
