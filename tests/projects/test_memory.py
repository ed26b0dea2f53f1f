"""An export takes little memory, however large the project. SOAK_GB says how large; 1 else."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.files import private_folder
from portal.projects.models import ProjectFile
from portal.projects.service import create_project
from portal.projects.storage import project_folder
from portal.runtime import Runtime
from tests.projects.people import People

GIGABYTE = 1_000_000_000
SIZE = int(os.environ.get("SOAK_GB", "1")) * GIGABYTE
MOST = 200_000_000


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


@pytest.mark.timeout(180 * SIZE // GIGABYTE)
def test_exporting_a_very_large_file_takes_little_memory(
    runtime: Runtime, large: str, tmp_path: Path
) -> None:
    settings = runtime.settings
    environment = os.environ | {
        "PORTAL_DATA": str(settings.data),
        "PORTAL_DATABASE_URL": settings.database,
        "PORTAL_REDIS_URL": settings.redis_url,
        "PORTAL_SECRET_KEY": settings.secret_key,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.projects.exporting", large, str(tmp_path)],
        env=environment,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < MOST
