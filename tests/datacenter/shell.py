"""The shell of the data centre as tests drive it, with a worker beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from portal.accounts.permissions import SYSTEM, Actor
from portal.assembly import BATCH_KINDS
from portal.datacenter.commands import datacenter
from portal.errors import PortalError
from portal.jobs.kinds import Kinds
from portal.jobs.wake import Waker
from portal.rows.batch_kinds import BatchKinds
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.settings import Settings
from tests.working import working


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


def process(shell: Shell, file: str, processor: str, *words: str, mode: str = "create") -> Any:
    words = ("process", file, "--processor", processor, "--mode", mode, *words, "--wait")
    with working(shell):
        return answer(shell, *words)
