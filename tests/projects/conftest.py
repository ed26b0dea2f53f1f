"""What tests of projects share: people, folders to load, and the parts of a job."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.projects.tasks import EXPORT
from portal.runtime import Runtime
from tests.projects.people import People
from tests.projects.trees import write_tree


@pytest.fixture
def people(runtime: Runtime) -> People:
    return People(runtime)


@pytest.fixture
def engine(runtime: Runtime) -> JobEngine:
    return JobEngine(runtime=runtime, kinds=Kinds((EXPORT,)))


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """`make_folder("name", {"a/b.html": "text or bytes"})` below this test's own folder."""

    def make(name: str, files: dict[str, str | bytes]) -> Path:
        return write_tree(tmp_path / "sources" / name, files)

    return make
