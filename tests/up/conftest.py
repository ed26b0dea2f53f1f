"""Real process trees, each with a mark in its environment by which all of it is found again."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_until

MARK = "PORTAL_TEST_MARK"
PATIENCE = 60.0  # a whole portal starts slowly where many tests share few cores


class Tree:
    """A launched command with its output and all processes below it, wherever they went."""

    def __init__(
        self, command: list[str], environment: dict[str, str], *, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.data = environment.get("PORTAL_DATA", self.mark)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environment, MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def says(self, text: str, *, times: int = 1) -> list[str]:
        """Wait for that many lines with `text` in them and return them."""
        found: list[str] = []

        def enough() -> bool:
            found[:] = [line for line in self.lines if text in line]
            return len(found) >= times

        try:
            wait_until(enough, timeout=PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{text!r} is missing in {self.lines}") from error
        return found

    def alive(self) -> list[psutil.Process]:
        return [one for one in psutil.process_iter() if self._is_ours(one)]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, *, timeout: float = 10.0) -> int:
        return self.process.wait(timeout)

    def clear(self) -> None:
        for one in self.alive():
            one.kill()
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def _is_ours(self, one: psutil.Process) -> bool:
        """Redis writes its title over its environment, but keeps its socket's path in it."""
        try:
            if one.status() == psutil.STATUS_ZOMBIE or one.pid == os.getpid():
                return False
            marked = one.environ().get(MARK) == self.mark
            return marked or f"{self.data}/" in " ".join(one.cmdline())
        except psutil.Error:
            return False


@pytest.fixture
def plant() -> Iterator[Callable[..., Tree]]:
    """`plant(command, pass_fds=…, **environment)` starts a tree that is gone after the test."""
    trees: list[Tree] = []

    def start(command: list[str], *, pass_fds: tuple[int, ...] = (), **environment: str) -> Tree:
        trees.append(Tree(command, environment, pass_fds=pass_fds))
        return trees[-1]

    yield start
    for tree in trees:
        tree.clear()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def launch(plant: Callable[..., Tree], data: Path, port: int) -> Callable[..., Tree]:
    """`launch(programs…, redis=…, password=…, environment=…)` runs `portal up` with them."""

    def start(*programs: dict, environment: dict[str, str] | None = None, **plan: object) -> Tree:
        plan = {"port": port, "programs": programs, **plan}
        command = [sys.executable, "-m", "tests.up.launcher", json.dumps(plan)]
        defaults = {"PORTAL_DATA": str(data), "PORTAL_REDIS_URL": "redis://127.0.0.1:1"}
        return plant(command, **(defaults | (environment or {})))

    return start
