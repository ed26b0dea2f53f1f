"""Killed around any of its commits, an import does all of its rows once, or none."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from portal.assembly import KINDS
from portal.jobs.endings import recover_expired
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.settings import Settings
from tests.imports.scenes import Desk, failed, succeeded

ROOT = Path(__file__).parents[2]
MOST = 40
Killing = Callable[..., int]


@pytest.fixture
def killing(settings: Settings) -> Iterator[Killing]:
    """`killing(job_id, commit, moment)` does a job in a process that dies; its exit status."""
    names = ("data", "database_url", "tables_url", "redis_url", "secret_key")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.imports.dying"],
        cwd=ROOT,
        env=os.environ | {f"PORTAL_{name.upper()}": str(getattr(settings, name)) for name in names},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def kill(job_id: str, commit: int, moment: str) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"job": job_id, "commit": commit, "moment": moment}
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield kill
    process.communicate()


def perform_after_death(desk: Desk, job_id: str) -> Job:
    """The job is taken from the dead and done by a worker that lives."""
    with desk.runtime.sessions.begin() as session:
        past = desk.runtime.clock() - timedelta(hours=1)
        its = update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING)
        session.execute(its.values(lease_until=past))
    engine = JobEngine(runtime=desk.runtime, kinds=KINDS)
    recover_expired(engine)
    perform(job_id, engine=engine)
    return desk.job(job_id)


def test_killed_before_any_commit_all_rows_are_there_once(desk: Desk, killing: Killing) -> None:
    deaths = 0
    for commit in range(1, MOST):
        desk.execute("DELETE FROM trunk")
        text = f"code,height\na,{commit}\nb,{commit}\n"
        asked = desk.ask("trunk.csv", text, table="trunk")
        died = killing(asked.job.id, commit, "before") == -signal.SIGKILL
        found = desk.rows("SELECT code, height FROM trunk ORDER BY code")
        assert found in ([], [("a", commit), ("b", commit)])
        job = perform_after_death(desk, asked.job.id)
        assert succeeded(job) == "Successfully imported 2 row(s)"
        assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == [
            ("a", commit),
            ("b", commit),
        ]
        deaths += died
        if not died:
            break
    assert 5 <= deaths < MOST - 1


def test_killed_after_any_commit_nothing_is_there_of_a_refused_file(
    desk: Desk, killing: Killing
) -> None:
    deaths = 0
    for commit in range(1, MOST):
        asked = desk.ask("trunk.csv", f"code,height\na,{commit}\nb,tall\n", table="trunk")
        died = killing(asked.job.id, commit, "after") == -signal.SIGKILL
        told = failed(perform_after_death(desk, asked.job.id)).split("\n")
        assert len(told) == 2
        assert told[1] == "    2: Failed to adapt value of height to integer: 'tall'"
        assert desk.rows("SELECT * FROM trunk") == []
        deaths += died
        if not died:
            break
    assert 5 <= deaths < MOST - 1
