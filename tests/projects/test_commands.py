"""`portal projects` from the shell."""

import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from portal.accounts.permissions import SYSTEM, Actor
from portal.errors import ForbiddenError
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker, Waker
from portal.projects.commands import projects
from portal.projects.models import Policy
from portal.projects.queue import queued_exports
from portal.runtime import Runtime
from tests.projects.people import People
from tests.waiting import wait_until


@dataclass
class Shell:
    runtime: Runtime
    kinds: Kinds
    waker: Waker
    actor: Actor = SYSTEM
    json: bool = False
    address: str = "shell:test"


@pytest.fixture
def shell(runtime: Runtime, engine: JobEngine) -> Shell:
    return Shell(runtime=runtime, kinds=engine.kinds, waker=RedisWaker(runtime.redis))


def run(shell: Shell, *words: str) -> Result:
    return CliRunner().invoke(projects, words, obj=shell)


def answer(shell: Shell, *words: str) -> Any:
    result = run(shell, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def folder(make_folder: Callable[..., Path]) -> Path:
    folder = make_folder("docs", {"index.md": "# Home", "pic.png": b"1"})
    (folder / "link").symlink_to("/etc/hostname")
    return folder


def test_load_says_what_it_did(shell: Shell, folder: Path) -> None:
    result = run(shell, "load", str(folder), "--title", "Docs")
    assert result.exit_code == 0
    assert "Project docs created." in result.stdout
    assert "link: a link" in result.stdout


def test_load_makes_the_owner_admin(shell: Shell, folder: Path, people: People) -> None:
    people.make("m1")
    answer(shell, "load", str(folder), "--owner", "m1", "--policy", "closed")
    facts = answer(shell, "show", "docs")
    assert facts["members"] == [{"name": "m1", "role": "ProjectAdmin"}]
    assert facts["policy"] == Policy.CLOSED


def test_only_an_admin_loads_for_somebody_else(shell: Shell, folder: Path, people: People) -> None:
    shell.actor = people.make("m2")
    people.make("m1")
    result = run(shell, "load", str(folder), "--owner", "m1")
    assert isinstance(result.exception, ForbiddenError)


def test_a_dry_run_is_said_to_be_one(shell: Shell, folder: Path) -> None:
    assert "Project docs would be created." in run(shell, "load", str(folder), "--dry-run").stdout
    assert answer(shell, "list") == []


def test_a_wrong_word_is_wrong_usage(shell: Shell, folder: Path) -> None:
    assert run(shell, "load", str(folder), "--on-conflict", "perhaps").exit_code == 2
    assert run(shell, "load", str(folder / "absent")).exit_code == 2


def test_list_has_what_one_may_see(shell: Shell, folder: Path, people: People) -> None:
    answer(shell, "load", str(folder), "--policy", "closed")
    (facts,) = answer(shell, "list")
    assert (facts["id"], facts["pages"], facts["files"]) == ("docs", 1, 1)
    shell.actor = people.make("m2")
    assert answer(shell, "list") == []


@pytest.fixture
def worker(shell: Shell, engine: JobEngine) -> Iterator[threading.Thread]:
    """Performs the one export that is asked for."""

    def work() -> None:
        ((job_id, _),) = wait_until(lambda: queued_exports(shell.runtime))
        perform(job_id, engine=engine)

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join()


def test_export_waits_and_copies_the_zip(
    shell: Shell, folder: Path, worker: threading.Thread, tmp_path: Path
) -> None:
    answer(shell, "load", str(folder))
    output = tmp_path / "out.zip"
    facts = answer(shell, "export", "docs", "--output", str(output))
    assert facts["state"] == "succeeded"
    assert zipfile.is_zipfile(output)
    assert answer(shell, "show", "docs")["exports"][0]["size"] == output.stat().st_size


def test_export_without_waiting_prints_the_job(shell: Shell, folder: Path) -> None:
    answer(shell, "load", str(folder))
    assert answer(shell, "export", "docs")["state"] == "queued"
