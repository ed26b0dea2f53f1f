"""Killed between any two steps, a distribution loses nothing and ends as if it never was."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.datacenter.service import finish_intended, open_data_center
from portal.files import remove_tree
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.scenes import SCENES, Scene, lay, lying, make_results

ROOT = Path(__file__).parents[2]
Killing = Callable[..., int]


@pytest.fixture
def killing(settings: Settings) -> Iterator[Killing]:
    """`killing(order)` carries an order out in a process of its own; returns its exit status."""
    values = {name: str(getattr(settings, name)) for name in ("data", "database_url", "secret_key")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.datacenter.dying"],
        cwd=ROOT,
        env=os.environ | {f"PORTAL_{name.upper()}": value for name, value in values.items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def kill(order: dict[str, Any]) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order, default=str) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield kill
    process.communicate()


def points_of(runtime: Runtime, scene: Scene, folder: Path) -> list[str]:
    """Every point of an undisturbed distribution, which must end as the scene says."""
    points: list[str] = []
    center = open_data_center(runtime, mark=points.append)
    lay(center.storage, scene.lying)
    center.dist_processed_files(**make_results(folder, center.storage, scene))
    assert lying(center.storage) == scene.after
    assert not folder.exists()
    return points


@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_point_a_distribution_ends_as_it_would_have(
    runtime: Runtime, killing: Killing, tmp_path: Path, name: str
) -> None:
    scene, storage = SCENES[name], runtime.settings.data / "datacenter"
    points = points_of(runtime, scene, tmp_path / "undisturbed")
    assert {"planned", "intended", "step-0", "done-0", "carried", "done"} <= set(points)
    for point in points:
        remove_tree(storage)
        lay(storage, scene.lying)
        arguments = make_results(tmp_path / point, storage, scene)
        order = arguments | {"occasion": f"{name}, {point}", "die_at": point}
        assert killing(order) == -signal.SIGKILL

        there = lying(storage)
        assert list(there.values()).count(scene.original) == 1, point
        assert set(there.values()) <= scene.known, point

        finish_intended(runtime, quiet_seconds=-1)
        center = open_data_center(runtime)
        center.dist_processed_files(**arguments, occasion=f"{name}, {point}")
        assert lying(storage) == scene.after, point


def test_a_distribution_asked_for_twice_is_done_once(runtime: Runtime, tmp_path: Path) -> None:
    center, scene = open_data_center(runtime), SCENES["repaired"]
    lay(center.storage, scene.lying)
    arguments = make_results(tmp_path / "results", center.storage, scene)
    first = center.dist_processed_files(**arguments, occasion="job 1")
    assert center.dist_processed_files(**arguments, occasion="job 1") == first
    assert lying(center.storage) == scene.after
