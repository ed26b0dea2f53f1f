"""The guard: what it stands above ends with its owner."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from portal.guard import descendants
from tests.waiting import wait_until

GUARD = [sys.executable, "-m", "portal.guard"]
TREE = """
import os, signal
for leave in (lambda: None, os.setsid):
    if os.fork() == 0:
        leave()
        if os.fork() != 0:
            os._exit(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        break
os.write(1, b"at work\\n")
signal.pause()
"""
LEAVING = """
import os, signal
gate, opener = os.pipe()
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(opener, b"1")
    signal.pause()
os.read(gate, 1)
"""
FORKING = """
import os, select, signal, sys
from portal.guard import die_with_parent
parent = os.pidfd_open(os.getpid())
if os.fork() == 0:
    if sys.argv[1] == "late":
        select.select([parent], [], [])
    die_with_parent()
    print("at work", flush=True)
    signal.pause()
if sys.argv[1] == "late":
    os._exit(0)
signal.pause()
"""


@pytest.fixture
def pipe():
    ours, theirs = os.pipe()
    ends = {ours, theirs}
    yield ours, theirs, ends
    for end in ends:
        os.close(end)


@pytest.fixture
def guarded(plant, pipe):
    """`guarded(code, *options)` runs Python code, or `command=…`, under a guard on our pipe."""
    reading = pipe[0]

    def start(code="", *options, command=None):
        os.set_inheritable(reading, True)
        command = command or [sys.executable, "-c", code]
        guard = [*GUARD, "--fd", str(reading), *options, "--"]
        return plant(guard + command, pass_fds=(reading,))

    return start


def test_the_whole_tree_dies_when_the_pipe_closes(guarded, pipe):
    tree = guarded(TREE)
    tree.says("at work", times=3)
    assert len(tree.alive()) == 4
    _, writing, ends = pipe
    ends.remove(writing)
    os.close(writing)
    assert tree.ends() == 128 + signal.SIGKILL
    assert tree.alive() == []


def test_the_whole_tree_dies_when_the_guard_is_terminated(guarded):
    tree = guarded(TREE)
    tree.says("at work", times=3)
    tree.signal(signal.SIGTERM)
    assert tree.ends() == 128 + signal.SIGTERM
    assert tree.alive() == []


def test_the_command_dies_when_the_guard_is_killed(guarded):
    tree = guarded("import signal; print('at work', flush=True); signal.pause()")
    tree.says("at work")
    tree.signal(signal.SIGKILL)
    wait_until(lambda: not tree.alive())


def test_what_the_command_leaves_running_dies_with_its_end(guarded):
    tree = guarded(LEAVING)
    assert tree.ends() == 0
    assert tree.alive() == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise SystemExit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGUSR1)", 128 + signal.SIGUSR1),
    ],
)
def test_the_guard_ends_with_the_commands_status(guarded, code, status):
    assert guarded(code).ends() == status


def test_a_command_that_does_not_exist_ends_with_127_in_words(plant):
    command = [*GUARD, "--parent", str(os.getpid()), "--", "/no/such/program"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 127
    assert done.stderr == "cannot start /no/such/program: No such file or directory\n"


def test_the_command_does_not_hold_the_pipe(guarded, pipe):
    tree = guarded("import os; print(sorted(os.listdir('/proc/self/fd')), flush=True)")
    assert f"'{pipe[0]}'" not in tree.says("[")[0]


def test_the_command_can_gain_no_rights(guarded):
    tree = guarded("print(open('/proc/self/status').read(), flush=True)")
    tree.says("NoNewPrivs:\t1")


def test_a_command_under_other_credentials_dies_with_a_killed_guard(guarded):
    """Only root can become somebody else; anybody can become himself."""
    uid = 65534 if os.geteuid() == 0 else os.geteuid()
    options = ("--uid", str(uid), *(("--gid", str(uid)) if os.geteuid() == 0 else ()))
    command = ["sh", "-c", "echo uid $(id -u); exec sleep 1000"]
    tree = guarded("", *options, command=command)
    assert tree.says("uid") == [f"uid {uid}"]
    tree.signal(signal.SIGKILL)
    wait_until(lambda: not tree.alive())


def test_a_guarded_command_is_not_started_for_a_parent_that_is_gone(tmp_path):
    trace = tmp_path / "started"
    code = f"open({str(trace)!r}, 'w')"
    done = subprocess.run([*GUARD, "--parent", "1", "--", sys.executable, "-c", code])
    assert done.returncode == -signal.SIGKILL
    assert not trace.exists()


def test_a_forked_process_dies_with_its_parent(plant):
    tree = plant([sys.executable, "-c", FORKING, "early"])
    tree.says("at work")
    tree.signal(signal.SIGKILL)
    wait_until(lambda: not tree.alive())


def test_a_forked_process_whose_parent_is_gone_already_does_not_go_on(plant):
    tree = plant([sys.executable, "-c", FORKING, "late"])
    tree.ends()
    wait_until(lambda: not tree.alive())
    assert tree.lines == []


def test_descendants_are_all_below_and_none_beside(plant):
    tree = plant([sys.executable, "-c", "import os, signal; os.fork(); os.fork(); signal.pause()"])
    wait_until(lambda: len(tree.alive()) == 4)
    below = {one.pid for one in psutil.Process(tree.process.pid).children(recursive=True)}
    assert set(descendants(tree.process.pid)) == below


def test_the_exec_wrapper_is_gone_once_the_command_runs(plant):
    command = [*GUARD, "--parent", str(os.getpid()), "--", "sleep", "1000"]
    tree = plant(command)
    wait_until(lambda: Path(f"/proc/{tree.process.pid}/comm").read_text() == "sleep\n")
