"""An export takes little memory, however large the project or many its pages.

SOAK_GB says how large the large file is (1 else), SOAK_PAGES how many the pages are.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert

from portal.files import private_folder
from portal.projects.models import ProjectFile, ProjectPage
from portal.projects.service import create_project
from portal.projects.storage import project_folder
from portal.runtime import Runtime
from tests.projects.people import People

GIGABYTE = 1_000_000_000
SIZE = int(os.environ.get("SOAK_GB", "1")) * GIGABYTE
MOST = 200_000_000
PAGES = int(os.environ.get("SOAK_PAGES", "20000"))  # each gives two entries
MOST_WRITING = 64 * 1024 * 1024
MOST_GROWTH = 12_000_000  # caches fill; held in memory, so many more entries would take 45 MB


@pytest.fixture
def large(runtime: Runtime, people: People) -> str:
    """A project with one sparse file of many gigabytes."""
    now = runtime.clock()
    folder = private_folder(project_folder(runtime.settings, "large"))
    with (folder / ("0" * 32)).open("wb") as stream:
        stream.truncate(SIZE)
    digest, zeros = hashlib.sha256(), bytes(1_000_000)
    for _ in range(SIZE // len(zeros)):
        digest.update(zeros)
    with runtime.sessions.begin() as session:
        create_project(session, actor=people.make("m1"), project_id="large", title="L", now=now)
        session.add(
            ProjectFile(
                project_id="large",
                path="zeros.bin",
                path_key="zeros.bin",
                stored="0" * 32,
                size=SIZE,
                sha256=digest.hexdigest(),
                media_type="application/octet-stream",
                updated_at=now,
            )
        )
    return "large"


@pytest.mark.timeout(600 * SIZE // GIGABYTE)
def test_exporting_a_very_large_file_takes_little_memory(
    runtime: Runtime, large: str, tmp_path: Path
) -> None:
    assert exporting_takes(runtime, large, tmp_path) < MOST


@pytest.mark.timeout(600 + PAGES // 100)
def test_writing_and_verifying_many_pages_takes_64_mb_at_most(tmp_path: Path) -> None:
    few, many = written_takes(PAGES // 4, tmp_path), written_takes(PAGES, tmp_path)
    assert many <= MOST_WRITING
    assert many - few <= MOST_GROWTH


def test_exporting_four_times_the_pages_takes_no_more_memory(
    runtime: Runtime, people: People, tmp_path: Path
) -> None:
    few = make_project_of_pages(runtime, people, 5_000)
    many = make_project_of_pages(runtime, people, 20_000)
    growth = exporting_takes(runtime, many, tmp_path) - exporting_takes(runtime, few, tmp_path)
    assert growth <= MOST_GROWTH


def make_project_of_pages(runtime: Runtime, people: People, count: int) -> str:
    """A project of small pages, written straight to the database; returns its id."""
    project_id, now = f"p{count}", runtime.clock()
    rows = [
        {
            "project_id": project_id,
            "name": f"folder/page-{number}",
            "name_key": f"folder/page-{number}",
            "file_name": f"folder/page-{number}.html",
            "title": f"Page {number}",
            "format": "html",
            "source": "<p>text</p>",
            "version": 1,
            "updated_at": now,
        }
        for number in range(count)
    ]
    with runtime.sessions.begin() as session:
        actor = people.make(f"owner-{count}")
        create_project(session, actor=actor, project_id=project_id, title="P", now=now)
        session.flush()
        session.execute(insert(ProjectPage), rows)
    return project_id


def exporting_takes(runtime: Runtime, project_id: str, folder: Path) -> int:
    """The most memory, in bytes, of a process that exports the project."""
    settings = runtime.settings
    environment = {
        "PORTAL_DATA": str(settings.data),
        "PORTAL_DATABASE_URL": settings.database,
        "PORTAL_REDIS_URL": settings.redis_url,
        "PORTAL_SECRET_KEY": settings.secret_key,
    }
    return printed_by("tests.projects.exporting", project_id, str(folder), **environment)


def written_takes(count: int, folder: Path) -> int:
    """The most memory, in bytes, of a process that writes and verifies `count` pages."""
    return printed_by("tests.projects.exporting_pages", str(count), str(folder))


def printed_by(module: str, *arguments: str, **environment: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | environment,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)
