"""`portal jobs` from the shell, and how a command follows its job."""

import json
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from portal.accounts.permissions import SYSTEM, Actor
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.jobs.commands import follow
from portal.jobs.commands import jobs as command
from portal.jobs.kinds import Kinds
from portal.jobs.models import JobState
from portal.jobs.runner import perform
from portal.jobs.wake import Waker
from portal.runtime import Runtime
from tests.jobs.kinds import KINDS
from tests.waiting import wait_until


@dataclass
class Shell:
    runtime: Runtime
    waker: Waker
    kinds: Kinds = KINDS
    actor: Actor = SYSTEM
    json: bool = False
    address: str = "shell:test"


@pytest.fixture
def shell(runtime, jobs):
    return Shell(runtime=runtime, waker=jobs.wake)


@pytest.fixture
def portal(shell):
    """`portal(*words)`: what `portal jobs …` does in a shell, for people or `as_json`."""

    def run(*words: str, as_json: bool = False, actor: Actor = SYSTEM):
        shell.json, shell.actor = as_json, actor
        return CliRunner().invoke(command, words, obj=shell)

    return run


@pytest.fixture
def worker(engine, shell):
    """A worker that begins at once with what it is woken for."""
    begun = []

    def wake(_queue: str, job_id: str) -> bool:
        begun.append(threading.Thread(target=perform, args=(job_id,), kwargs={"engine": engine}))
        begun[-1].start()
        return True

    shell.waker = wake
    yield
    for thread in begun:
        thread.join(timeout=20)


def answer(result) -> Any:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return json.loads(result.stdout)


def test_a_list_shows_state_and_title(portal, jobs):
    job_id = jobs.ended("talk", title="Talk about it")
    line = portal("list").stdout
    assert line.startswith(job_id[:8])
    assert "Succeeded" in line
    assert "Talk about it" in line


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ((), ["two", "one"]),
        (("--state", "queued"), ["one"]),
        (("--text", "tw"), ["two"]),
        (("--area", "projects"), []),
        (("--limit", "1"), ["two"]),
    ],
)
def test_a_list_can_be_narrowed(portal, jobs, words, titles):
    jobs.queued(title="one", subject="1")
    jobs.ended(title="two", subject="2")
    assert [job["title"] for job in answer(portal("list", *words, as_json=True))] == titles


def test_an_empty_list_says_so(portal):
    assert portal("list").stdout == "There are no such jobs.\n"


def test_somebody_lists_his_own_jobs_only(portal, jobs, make_actor):
    mia = make_actor("mia")
    jobs.queued(title="theirs", subject="1")
    jobs.queued(title="hers", subject="2", actor=mia)
    assert [one["title"] for one in answer(portal("list", as_json=True, actor=mia))] == ["hers"]


def test_a_job_is_shown_by_a_unique_beginning_of_its_id(portal, jobs):
    job_id = jobs.ended("talk")
    shown = portal("show", job_id[:8]).stdout
    assert job_id in shown
    assert "Succeeded, attempt 1" in shown
    assert "pages    3" in shown


def test_a_job_is_told_to_machines_with_all_its_facts(portal, jobs):
    told = answer(portal("show", jobs.ended("talk"), as_json=True))
    assert (told["state"], told["result"], told["attempt"]) == ("succeeded", {"pages": 3}, 1)


def test_a_job_of_others_is_not_to_be_found(portal, jobs, make_actor):
    result = portal("show", jobs.queued(), actor=make_actor("mia"))
    assert isinstance(result.exception, NotFoundError)


def test_a_queued_job_is_cancelled(portal, jobs):
    assert answer(portal("cancel", jobs.queued(), as_json=True))["state"] == "cancelled"


def test_what_waited_behind_a_cancelled_job_is_woken(portal, jobs):
    head = jobs.queued(subject="1", lane="table:trunk")
    following = jobs.queued(subject="2", lane="table:trunk")
    jobs.queued(subject="3", lane="table:trunk")
    jobs.woken.clear()
    portal("cancel", head)
    assert jobs.woken == [("bulk", following)]


def test_who_may_not_manage_a_job_is_refused(portal, jobs, make_actor):
    mia = make_actor("mia")
    result = portal("cancel", jobs.queued(actor=mia), actor=mia)
    assert isinstance(result.exception, ForbiddenError)


def test_a_job_that_succeeded_is_not_retried(portal, jobs):
    assert isinstance(portal("retry", jobs.ended()).exception, ConflictError)


def test_a_retry_is_a_second_attempt_that_a_worker_is_told_of(portal, jobs):
    job_id = jobs.ended("fail")
    told = answer(portal("retry", job_id, as_json=True))
    assert (told["state"], told["attempt"]) == ("queued", 2)
    assert jobs.woken[-1] == ("bulk", job_id)


@pytest.mark.parametrize(
    ("kind", "code", "word"), [("mend", 0, "succeeded"), ("fail", 1, "failed")]
)
def test_a_retry_that_waits_exits_as_the_job_ends(portal, jobs, worker, kind, code, word):
    job_id = jobs.ended(kind)
    result = portal("retry", job_id, "--wait")
    assert (result.exit_code, f": {word}." in result.stderr) == (code, True)


def test_a_machine_that_waits_gets_json_alone_on_the_output(portal, jobs, worker):
    job_id = jobs.ended("mend")
    result = portal("retry", job_id, "--wait", as_json=True)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["state"] == JobState.SUCCEEDED


def test_who_waits_while_no_worker_runs_is_told_so(shell, portal, jobs, capsys):
    job_id = jobs.queued()
    follower = threading.Thread(target=follow, args=(shell.runtime, job_id))
    follower.start()
    said: list[str] = []

    def told():
        said.append(capsys.readouterr().err)
        return "No worker is running" in "".join(said)

    wait_until(told)
    portal("cancel", job_id)
    follower.join(timeout=20)
    assert not follower.is_alive()


def test_following_a_job_shows_on_one_line_how_far_it_is(shell, portal, jobs, worker, capsys):
    job_id, shown = jobs.queued("stay"), []

    def line() -> str:
        shown.append(capsys.readouterr().err)
        return "".join(shown)

    follower = threading.Thread(target=follow, args=(shell.runtime, job_id))
    follower.start()
    shell.waker("bulk", job_id)
    wait_until(lambda: "\rWriting pages [######################--------] 75% 3/4 pages" in line())
    portal("cancel", job_id)
    follower.join(timeout=20)
    assert line().endswith(" \rJob about 1: cancelled. It was cancelled.\n")
