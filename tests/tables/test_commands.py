"""`portal tables` in a shell."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker, Waker
from portal.runtime import Runtime
from portal.tables.actions import Action
from portal.tables.commands import tables
from portal.tables.tasks import EXPORT
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
def shell(runtime: Runtime) -> Shell:
    return Shell(runtime=runtime, kinds=Kinds((EXPORT,)), waker=RedisWaker(runtime.redis))


def run(shell: Shell, *words: str) -> Result:
    result = CliRunner().invoke(tables, words, obj=shell)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answer(shell: Shell, *words: str) -> Any:
    result = run(replace(shell, json=True), *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_list_names_tables_rows_and_what_one_may(filled: None, shell: Shell) -> None:
    office, record = answer(shell, "list")
    assert (office["name"], office["rows"], record["rows"]) == ("office", 2, 120)
    assert record["key"] == ["id"]
    assert record["actions"] == ["browse", "create", "update", "remove", "export"]
    assert "record\t120 rows" in run(shell, "list", "--text", "REC").stdout


def test_the_list_has_only_what_one_may_see(
    filled: None, shell: Shell, people: People, grant: Callable[..., None]
) -> None:
    grant("office", (Role.IMPORT_MANAGER, Action.BROWSE))
    grant("record")
    manager = replace(shell, actor=people.make("manager", Role.IMPORT_MANAGER))
    assert [table["name"] for table in answer(manager, "list")] == ["office"]
    member = replace(shell, actor=people.make("member", Role.MEMBER))
    assert "no such tables" in run(member, "list").stdout


@pytest.mark.parametrize(
    ("name", "start"), [("rows.csv", b"\xef\xbb\xbfid,"), ("rows.xlsx", b"PK")]
)
def test_an_export_is_copied_to_where_it_is_wanted(
    filled: None, shell: Shell, tmp_path: Path, name: str, start: bytes
) -> None:
    output = tmp_path / name
    with worker(shell):
        result = run(shell, "export", "record", "--output", str(output))
    assert (result.exit_code, result.stdout.strip()) == (0, str(output))
    assert output.read_bytes().startswith(start)


def test_without_waiting_an_export_is_only_asked_for(filled: None, shell: Shell) -> None:
    job = answer(shell, "export", "record", "--format", "xlsx")
    assert (job["kind"], job["state"]) == ("tables.export", "queued")


def test_a_table_that_is_not_there_is_told(shell: Shell) -> None:
    with pytest.raises(NotFoundError, match="Table does not exist: nothing"):
        run(shell, "export", "nothing")


def test_grants_are_given_shown_and_taken_away(filled: None, shell: Shell) -> None:
    assert answer(shell, "revoke", "record", "import_manager")["grants"] == {
        "export_manager": ["export"]
    }
    given = answer(shell, "grant", "record", "import_manager", "create", "browse")
    assert given["grants"]["import_manager"] == ["browse", "create"]
    assert answer(shell, "grants", "record") == given
    answer(shell, "revoke", "record", "export_manager", "export")
    assert run(shell, "revoke", "record", "import_manager").stdout.startswith("Only administrators")


def test_only_administrators_see_and_give_grants(
    filled: None, shell: Shell, people: People
) -> None:
    manager = replace(shell, actor=people.make("manager", Role.IMPORT_MANAGER))
    for words in (("grants", "record"), ("grant", "record", "import_manager", "create")):
        with pytest.raises(ForbiddenError):
            run(manager, *words)


class worker:  # noqa: N801 (used like a function)
    """Performs the job that is asked for meanwhile."""

    def __init__(self, shell: Shell) -> None:
        self._runtime = Runtime.open(shell.runtime.settings)
        self._engine = JobEngine(runtime=self._runtime, kinds=shell.kinds)
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_fault: object) -> None:
        self._thread.join()
        self._runtime.close()

    def _queued(self) -> str | None:
        with self._runtime.reads() as session:
            return session.scalar(select(Job.id).where(Job.state == "queued"))

    def _work(self) -> None:
        wait_until(lambda: self._queued() is not None)
        perform(self._queued() or "", engine=self._engine)
