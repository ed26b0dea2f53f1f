"""A full disk: the clerk is told, nothing half-made stays, with room it can be retried."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM
from portal.artifacts.models import Artifact
from portal.assembly import KINDS
from portal.jobs import service as jobs
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.projects.export_content import ExportOptions
from portal.projects.exports import create_export
from portal.projects.loading import LoadOrder, load_folder
from portal.runtime import Runtime
from portal.settings import Settings

DISK_BYTES = 9_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 9 MB; mounting one takes root, as in CI."""
    mount = tmp_path / "disk"
    mount.mkdir()
    size = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


@pytest.fixture
def runtime(make_settings: Callable[..., Settings], small_disk: Path) -> Iterator[Runtime]:
    opened = Runtime.open(make_settings(data=small_disk / "data", disk_reserve_mb=0))
    yield opened
    opened.close()


def test_an_export_on_a_full_disk_fails_in_words_and_can_be_retried(
    runtime: Runtime, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "picture.jpg").write_bytes(os.urandom(3_500_000))
    load_folder(runtime, order=LoadOrder(folder=folder, project_id="p"), actor=SYSTEM)
    ballast = runtime.settings.data / "ballast"
    ballast.write_bytes(bytes(3_000_000))
    engine = JobEngine(runtime=runtime, kinds=KINDS)
    with runtime.sessions.begin() as session:
        job_id = create_export(
            session,
            actor=SYSTEM,
            project_id="p",
            options=ExportOptions(),
            kinds=KINDS,
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        ).job.id

    assert perform(job_id, engine=engine) is JobState.FAILED
    job = look(runtime, job_id)
    assert "disk is full" in job.reason.lower()
    assert not list((runtime.settings.data / "work").rglob("*.zip*"))

    ballast.unlink()
    with runtime.sessions.begin() as session:
        jobs.retry(
            session,
            kinds=KINDS,
            actor=SYSTEM,
            job=session.scalars(select(Job).where(Job.id == job_id)).one(),
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        )
    assert perform(job_id, engine=engine) is JobState.SUCCEEDED
    with runtime.reads() as session:
        assert session.scalars(select(Artifact)).one().job_id == job_id


def look(runtime: Runtime, job_id: str) -> Job:
    with runtime.reads() as session:
        return session.scalars(select(Job).where(Job.id == job_id)).one()
