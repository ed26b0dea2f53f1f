"""The shell of the data centre as tests drive it, with a worker beside it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor
from portal.assembly import BATCH_KINDS
from portal.datacenter.commands import datacenter
from portal.errors import PortalError
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import Waker
from portal.rows.batch_kinds import BatchKinds
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.settings import Settings


@dataclass
class Shell:
    runtime: Runtime
    settings: Settings
    kinds: Kinds
    processors: Processors
    waker: Waker
    batch_kinds: BatchKinds = BATCH_KINDS
    actor: Actor = SYSTEM
    json: bool = False
    address: str = "shell:test"


def run(shell: Shell, *words: str | Path) -> Result:
    return CliRunner().invoke(datacenter, [str(word) for word in words], obj=shell)


def answer(shell: Shell, *words: str | Path) -> Any:
    """What a machine reads of a command that goes well."""
    result = ask(shell, *words)
    assert result.exit_code == 0, result.output or result.exception
    return json.loads(result.stdout)


def ask(shell: Shell, *words: str | Path) -> Result:
    shell.json = True
    try:
        return run(shell, *words)
    finally:
        shell.json = False


def refusal(shell: Shell, *words: str | Path) -> PortalError:
    """Why a command is refused; the program says it in a sentence and exits with 1."""
    error = run(shell, *words).exception
    assert isinstance(error, PortalError), error
    return error


def queued(runtime: Runtime) -> list[str]:
    with runtime.reads() as session:
        return list(session.scalars(select(Job.id).where(Job.state == JobState.QUEUED)))


@contextmanager
def working(shell: Shell) -> Iterator[None]:
    """A worker that does every job that is asked for meanwhile."""
    engine, over = JobEngine(runtime=shell.runtime, kinds=shell.kinds), threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            for job_id in queued(shell.runtime):
                perform(job_id, engine=engine)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def process(shell: Shell, file: str, processor: str, *words: str, mode: str = "create") -> Any:
    words = ("process", file, "--processor", processor, "--mode", mode, *words, "--wait")
    with working(shell):
        return answer(shell, *words)
