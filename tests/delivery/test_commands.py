"""`portal delivery` in the shell: what is said, as words and as JSON, and how it exits."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.artifacts.handouts import Handouts
from portal.artifacts.intakes import Intakes
from portal.assembly import HANDOUTS, INTAKES, KINDS
from portal.datacenter.service import open_data_center
from portal.delivery.commands import delivery
from portal.delivery.spool import Spool
from portal.jobs.kinds import Kinds
from portal.jobs.wake import RedisWaker, Waker
from portal.runtime import Runtime
from portal.settings import Settings
from tests.delivery.real_servers import running_sshd
from tests.delivery.scripted_ftp import PASSWORD, ScriptedServer
from tests.working import working

MEMBER = Actor(user_id=None, name="mia", roles=frozenset({Role.MEMBER}))


@dataclass(frozen=True)
class Shell:
    runtime: Runtime
    settings: Settings
    waker: Waker
    kinds: Kinds = KINDS
    handouts: Handouts = HANDOUTS
    intakes: Intakes = INTAKES
    actor: Actor = SYSTEM
    json: bool = False
    address: str = "shell:test"


@pytest.fixture
def shell(runtime: Runtime) -> Shell:
    return Shell(runtime, runtime.settings, RedisWaker(runtime.redis))


def run(shell: Shell, *words: str, code: int = 0, given: str = "") -> Result:
    result = CliRunner().invoke(delivery, words, obj=shell, input=given)
    assert result.exit_code == code, result.output
    return result


def answer(shell: Shell, *words: str, code: int = 0) -> Any:
    return json.loads(run(replace(shell, json=True), *words, code=code).stdout)


def set_up(shell: Shell, scripted: ScriptedServer, tmp_path: Path) -> Spool:
    url = f"ftp://test@127.0.0.1:{scripted.port}/"
    added = ("endpoint", "add", "partner", "--url", url, "--password-stdin")
    assert PASSWORD not in run(shell, *added, given=f"{PASSWORD}\n").output
    spool = Spool(tmp_path / "spool")
    bound = ("--endpoint", "partner", "--spool", str(spool.root), "--direction", "send")
    run(shell, "channel", "add", "articles", *bound)
    return spool


def test_a_finished_file_is_handed_over(
    shell: Shell, scripted: ScriptedServer, tmp_path: Path
) -> None:
    spool = set_up(shell, scripted, tmp_path)
    (open_data_center(shell.runtime).storage / "finished" / "a.csv").write_bytes(b"a\r\n")
    with working(shell):
        job = answer(shell, "hand-over", "articles", "finished/a.csv", "--wait")
    assert job["state"] == "succeeded"
    assert spool.names("new") == ["a.csv"]
    again = run(shell, "hand-over", "articles", "finished/a.csv", code=2)
    assert "waits in articles already" in again.output
    assert "no such file" in run(shell, "hand-over", "articles", "attic/a", code=2).output


def test_the_way_of_a_file(shell: Shell, scripted: ScriptedServer, tmp_path: Path) -> None:
    spool = set_up(shell, scripted, tmp_path)
    with spool.create("a") as stream:
        stream.write(b"content")
    spool.move("a", "tmp", "new")
    with working(shell):
        assert answer(shell, "test", "partner", "--wait")["state"] == "succeeded"
        assert answer(shell, "run", "articles", "--wait")["state"] == "succeeded"
    assert (scripted.folder / "a").read_bytes() == b"content"
    row = answer(shell, "history", "articles")[0]
    assert (row["name"], row["state"], row["size"]) == ("a", "delivered", 7)
    assert "a\tdelivered\t7 bytes" in run(shell, "history", "--text", "a").output
    assert "no such files" in run(shell, "history", "--state", "uncertain").output


def test_a_run_that_fails_ends_with_1(
    shell: Shell, scripted: ScriptedServer, tmp_path: Path
) -> None:
    spool = set_up(shell, scripted, tmp_path)
    with spool.create("a") as stream:
        stream.write(b"content")
    spool.move("a", "tmp", "new")
    scripted.script.always["USER"] = "530 Go away."
    with working(shell):
        assert "Go away" in run(shell, "run", "articles", "--wait", code=1).stderr
    assert "fails: authentication" in run(shell, "channel", "list").output


def test_a_file_that_was_put_aside_can_be_sent_again(
    shell: Shell, scripted: ScriptedServer, tmp_path: Path
) -> None:
    spool = set_up(shell, scripted, tmp_path)
    with spool.create("a") as stream:
        stream.write(b"content")
    spool.move("a", "tmp", "new")
    scripted.script.once["RNTO a"] = "drop after"
    scripted.script.take = "a"
    with working(shell):
        run(shell, "run", "articles", "--wait")
        number = answer(shell, "quarantine")[0]["id"]
        scripted.script.take = ""
        run(shell, "retry", str(number))
        run(shell, "run", "articles", "--wait")
    assert (scripted.folder / "a").exists()
    assert "Nothing is put aside" in run(shell, "quarantine").output


def test_a_lock_is_shown_and_can_be_broken(
    shell: Shell, scripted: ScriptedServer, tmp_path: Path
) -> None:
    spool = set_up(shell, scripted, tmp_path)
    with spool.create("a") as stream:
        stream.write(b"content")
    spool.move("a", "tmp", "new")
    (scripted.folder / "write").write_text("cds")
    with working(shell):
        run(shell, "run", "articles", "--wait")
        assert "kept out by the lock of cds" in run(shell, "channel", "list").output
        run(shell, "break-lock", "articles", "--wait")
    assert scripted.names() == []


def test_a_key_that_was_shown_can_be_approved(shell: Shell, tmp_path: Path) -> None:
    with running_sshd() as real, working(shell):
        key = tmp_path / "key"
        key.write_text(real.key)
        run(shell, "endpoint", "add", "host", "--url", real.url, "--key-file", str(key))
        run(shell, "test", "host", "--wait", code=1)
        shown = answer(shell, "endpoint", "list")[0]["shown_key"]
        run(shell, "endpoint", "approve-key", "host", shown)
        run(shell, "test", "host", "--wait")


def test_a_channel_rests_and_goes_on(
    shell: Shell, scripted: ScriptedServer, tmp_path: Path
) -> None:
    set_up(shell, scripted, tmp_path)
    assert answer(shell, "channel", "pause", "articles")["paused"] is True
    assert answer(shell, "channel", "resume", "articles")["paused"] is False


def test_what_is_forgotten_leaves_the_files(
    shell: Shell, scripted: ScriptedServer, tmp_path: Path
) -> None:
    spool = set_up(shell, scripted, tmp_path)
    run(shell, "endpoint", "remove", "partner", code=2)
    run(shell, "channel", "remove", "articles")
    run(shell, "endpoint", "remove", "partner")
    assert spool.root.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("run", "nothing"),
        ("test", "nothing"),
        ("history", "nothing"),
        ("retry", "1"),
        ("endpoint", "add", "x", "--url", "http://example.org"),
        ("channel", "add", "x", "--endpoint", "y", "--spool", "z", "--direction", "send"),
    ],
)
def test_what_cannot_be_is_said_and_ends_with_2(shell: Shell, words: tuple[str, ...]) -> None:
    result = run(shell, *words, code=2)
    assert result.stderr.startswith("Error: ")


def test_only_operators_work_with_deliveries(shell: Shell) -> None:
    member = replace(shell, actor=MEMBER)
    for words in (("endpoint", "list"), ("channel", "list"), ("history",), ("quarantine",)):
        run(member, *words, code=2)


def test_a_spool_of_an_operator_is_where_the_settings_allow(shell: Shell, tmp_path: Path) -> None:
    operator = Actor(user_id=7, name="olga", roles=frozenset({Role.OPERATOR}))
    run(shell, "endpoint", "add", "partner", "--url", "ftp://u:p@127.0.0.1/")
    bound = ("channel", "add", "c", "--endpoint", "partner", "--direction", "send")
    theirs = replace(shell, actor=operator)
    refused = run(theirs, *bound, "--spool", str(tmp_path / "elsewhere"), code=2)
    assert "PORTAL_DELIVERY_FOLDERS" in refused.stderr
    run(theirs, *bound, "--spool", "theirs")
    assert (shell.settings.data / "delivery" / "theirs" / "new").is_dir()


def test_how_a_server_is_spoken_to_is_said_when_it_is_recorded(shell: Shell) -> None:
    url = "ftp://test@ftp.example.org/"
    told = ["--connections", "3", "--limit", "500", "--active"]
    added = answer(shell, "endpoint", "add", "partner", "--url", url, *told)
    assert (added["connections"], added["limit"], added["active"]) == (3, 500_000, True)


def test_a_certificate_is_approved_and_forgotten(
    shell: Shell, scripted_tls: tuple[ScriptedServer, str]
) -> None:
    server, _certificate = scripted_tls
    run(shell, "endpoint", "add", "partner", "--url", server.url("ftpes"))
    with working(shell):
        run(shell, "test", "partner", "--wait", code=1)
        shown = answer(shell, "endpoint", "list")[0]["shown_key"]
        run(shell, "endpoint", "approve-key", "partner", shown)
        run(shell, "test", "partner", "--wait")
    assert answer(shell, "endpoint", "forget-key", "partner")["host_key"] == ""


def test_fetched_files_go_on_where_that_is_said(shell: Shell, tmp_path: Path) -> None:
    run(shell, "endpoint", "add", "partner", "--url", "ftp://test@ftp.example.org/")
    bound = ("--endpoint", "partner", "--spool", str(tmp_path / "in"), "--direction", "fetch")
    run(shell, "channel", "add", "inbox", *bound)
    assert answer(shell, "channel", "intake", "inbox", "datacenter")["intake"] == "datacenter"
    assert "Nothing here takes" in run(shell, "channel", "intake", "inbox", "x", code=2).output
    assert answer(shell, "channel", "intake", "inbox")["intake"] == ""
