"""The process tree: order, restarts, and an end that leaves nothing."""

import signal
import time

import psutil
import pytest

from portal.processes import Backoff
from tests.waiting import wait_until

FOREVER = "import signal; print('at work', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + FOREVER
TELLING = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("ending", flush=True), sys.exit(0)))
print("at work", flush=True)
while True: signal.pause()
"""
HORSE = """
import os, signal
from portal.guard import die_with_parent
if os.fork() == 0:
    os.setsid()
    die_with_parent()
    print("horse runs", flush=True)
signal.pause()
"""
DAEMON = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("daemon runs", flush=True)
        signal.pause()
    os._exit(0)
signal.pause()
"""


def part_of(line):
    """Lines are `time part message`; what the user is told has no time."""
    return line.split()[1] if line[:1].isdigit() else ""


def pid_in(line):
    return int(line.rpartition("pid=")[2])


def test_a_program_starts_only_when_the_one_before_is_ready(launch, tmp_path):
    ready = tmp_path / "ready"
    tree = launch(
        {"name": "first", "code": FOREVER, "ready_file": str(ready)},
        {"name": "second", "code": FOREVER},
    )
    tree.says("at work")
    before = [line for line in tree.lines if "second" in line]
    ready.touch()
    tree.says("started program=second")
    assert before == []


def test_the_database_is_prepared_between_the_foundation_and_the_others(launch):
    tree = launch(
        {"name": "web", "code": FOREVER},
        {"name": "redis", "code": FOREVER, "foundation": True},
    )
    tree.says("started program=web")
    first, second, third = [
        line for line in tree.lines if "started program" in line or line == "migrating"
    ]
    assert "program=redis" in first
    assert second == "migrating"
    assert "program=web" in third


def test_the_address_and_the_password_are_told_once(launch, tmp_path):
    ready = tmp_path / "ready"
    tree = launch(
        {
            "name": "web",
            "code": FOREVER,
            "ready_file": str(ready),
            "announcement": "Portal is at http://here",
        },
        password="open-sesame",
    )
    tree.says("at work")
    told_early = [line for line in tree.lines if "Portal is at" in line]
    ready.touch()
    tree.says("Portal is at http://here")
    psutil.Process(pid_in(tree.says("started program=web")[0])).kill()
    tree.says("started program=web", times=2)
    assert told_early == []
    assert sum("Portal is at" in line for line in tree.lines) == 1
    assert sum("open-sesame" in line for line in tree.lines) == 1


def test_a_killed_program_is_started_again_after_a_pause(launch):
    tree = launch({"name": "worker", "code": FOREVER}, {"name": "other", "code": FOREVER})
    first = pid_in(tree.says("started program=worker")[0])
    tree.says("started program=other")
    killed_at = time.monotonic()
    psutil.Process(first).kill()
    second = pid_in(tree.says("started program=worker", times=2)[1])
    assert time.monotonic() - killed_at >= 0.2
    assert second != first
    assert len(tree.says("started program=other")) == 1


def test_what_a_killed_program_leaves_in_its_group_dies_before_the_restart(launch):
    code = r"import os, signal; os.fork(); os.write(1, b'at work\n'); signal.pause()"
    tree = launch({"name": "web", "code": code})
    tree.says("at work", times=2)
    first = psutil.Process(pid_in(tree.says("started program=web")[0]))
    (left,) = first.children()
    first.kill()
    tree.says("started program=web", times=2)
    assert not left.is_running()


def test_a_program_that_keeps_failing_is_named_and_the_others_stay(launch):
    tree = launch(
        {"name": "broken", "code": "raise SystemExit('no such thing')"},
        {"name": "sound", "code": FOREVER},
    )
    (failing,) = tree.says("keeps failing")
    assert "program=broken" in failing
    assert len(tree.says("started program=sound")) == 1
    assert len([one for one in tree.lines if part_of(one) == "broken"]) >= 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_with_status_0(launch, number):
    tree = launch({"name": "one", "code": FOREVER}, {"name": "two", "code": FOREVER})
    tree.says("at work", times=2)
    tree.signal(number)
    assert tree.ends() == 0
    assert tree.alive() == []


def test_the_foundation_ends_after_all_others(launch):
    tree = launch(
        {"name": "redis", "code": TELLING, "foundation": True},
        {"name": "web", "code": TELLING},
        {"name": "worker", "code": TELLING},
    )
    tree.says("at work", times=3)
    tree.signal(signal.SIGTERM)
    assert tree.ends() == 0
    ends = [part_of(line) for line in tree.says("ending", times=3)]
    assert sorted(ends[:2]) == ["web", "worker"]
    assert ends[2] == "redis"


def test_a_program_that_will_not_end_is_killed_after_stop_seconds(launch):
    tree = launch(
        {"name": "stubborn", "code": STUBBORN}, environment={"PORTAL_STOP_SECONDS": "0.5"}
    )
    tree.says("at work")
    tree.signal(signal.SIGTERM)
    assert tree.ends(timeout=5) == 0
    assert tree.alive() == []


def test_a_second_signal_ends_all_at_once(launch):
    tree = launch({"name": "stubborn", "code": STUBBORN}, environment={"PORTAL_STOP_SECONDS": "60"})
    tree.says("at work")
    tree.signal(signal.SIGINT)
    tree.says("stopping")
    tree.signal(signal.SIGINT)
    assert tree.ends() == 0
    assert tree.alive() == []


def test_a_daemon_that_left_its_session_does_not_outlive_the_end(launch):
    tree = launch({"name": "worker", "code": DAEMON})
    tree.says("daemon runs")
    tree.signal(signal.SIGTERM)
    assert tree.ends() == 0
    assert tree.alive() == []


def test_a_killed_launcher_leaves_no_process_within_two_seconds(launch):
    tree = launch(
        {"name": "redis", "code": FOREVER, "foundation": True},
        {"name": "worker", "code": HORSE},
        {"name": "stubborn", "code": STUBBORN},
    )
    tree.says("horse runs")
    tree.says("at work", times=2)
    assert len(tree.alive()) == 5
    tree.signal(signal.SIGKILL)
    wait_until(lambda: not tree.alive())


def test_a_stop_while_a_program_is_not_ready_ends_all(launch, tmp_path):
    tree = launch({"name": "web", "code": FOREVER, "ready_file": str(tmp_path / "never")})
    tree.says("at work")
    tree.signal(signal.SIGTERM)
    assert tree.ends() == 0
    assert tree.alive() == []


def test_each_death_in_a_row_doubles_the_pause_up_to_a_limit():
    backoff = Backoff()
    assert [backoff.delay(deaths) for deaths in (1, 2, 3, 7, 8, 10_000)] == [
        *(0.25, 0.5, 1.0, 16.0),
        *(30.0, 30.0),
    ]


def test_a_healthy_minute_wipes_out_earlier_deaths():
    backoff = Backoff()
    assert backoff.deaths_in_a_row(7, lived=59.9) == 8
    assert backoff.deaths_in_a_row(7, lived=60.0) == 1
