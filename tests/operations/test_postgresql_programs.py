"""Backups of PostgreSQL use its own programs: found, new enough, and told no secret aloud."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.backup import write_backup
from portal.backups.archive import BackupError
from portal.settings import Settings
from tests.servers import Postgres


@pytest.fixture
def on_postgresql(postgres: Postgres, postgres_template: str, tmp_path: Path) -> Iterator[Settings]:
    name = postgres.create(postgres_template)
    url = postgres.url(name).replace("postgres@", "postgres:pass-phrase@")
    (tmp_path / "data").mkdir()
    yield Settings(data=tmp_path / "data", database_url=url)
    postgres.drop(name)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which alone programs are looked for."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_missing_program_is_named_with_its_package(
    on_postgresql: Settings, programs: Path, tmp_path: Path
) -> None:
    with pytest.raises(BackupError, match="pg_dump is missing: install postgresql-client-"):
        write_backup(on_postgresql, tmp_path / "portal.tar")
    assert not (tmp_path / "portal.tar").exists()


def test_a_program_older_than_the_server_is_refused(
    on_postgresql: Settings, programs: Path, tmp_path: Path
) -> None:
    write_program(programs / "pg_dump", 'echo "pg_dump (PostgreSQL) 9.6.24"')
    with pytest.raises(BackupError, match="older than the server's"):
        write_backup(on_postgresql, tmp_path / "portal.tar")


def test_a_failure_of_the_program_is_told_and_leaves_nothing(
    on_postgresql: Settings, programs: Path, tmp_path: Path
) -> None:
    write_program(
        programs / "pg_dump",
        'if [ "$1" = --version ]; then echo 99.1; else echo "disk full" >&2; exit 1; fi',
    )
    with pytest.raises(BackupError, match="disk full"):
        write_backup(on_postgresql, tmp_path / "portal.tar")
    assert sorted(os.listdir(tmp_path)) == ["data", "programs"]


def test_the_password_is_not_in_the_list_of_processes(
    on_postgresql: Settings, programs: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    write_program(
        programs / "pg_dump",
        'if [ "$1" = --version ]; then echo 99.1; '
        f'else echo "$@" > {said}; echo "$PGPASSWORD" > {said}.environment; exit 1; fi',
    )
    with pytest.raises(BackupError):
        write_backup(on_postgresql, tmp_path / "portal.tar")
    assert "pass-phrase" not in said.read_text()
    assert Path(f"{said}.environment").read_text() == "pass-phrase\n"
