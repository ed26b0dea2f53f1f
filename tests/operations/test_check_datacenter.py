"""`portal check` finds what keeps the data centre from working."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from portal import check
from portal.accounts.permissions import Role
from portal.checks.finding import Finding, Level
from portal.datacenter.models import DataCenterIntent
from portal.datacenter.service import change_storage_path, open_data_center
from portal.db import db_now
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.processing import open_office


def found(settings: Settings, words: str) -> Finding:
    """The one finding whose sentence has these words."""
    findings = check.run(settings)
    having = [finding for finding in findings if words in finding.sentence]
    assert len(having) == 1, findings
    assert having[0].remedy
    return having[0]


def sentences(settings: Settings) -> str:
    return " ".join(finding.sentence for finding in check.run(settings))


@pytest.fixture
def storage(runtime: Runtime) -> Path:
    return open_data_center(runtime).storage


@pytest.fixture
def elsewhere(runtime: Runtime, storage: Path, tmp_path: Path) -> Path:
    """A storage outside of the data folder."""
    place = tmp_path / "elsewhere"
    place.mkdir(mode=0o700)
    change_storage_path(runtime, path=place, move=False)
    return place


def test_a_sound_storage_gives_no_finding(runtime: Runtime, elsewhere: Path) -> None:
    (elsewhere / "x.csv").write_text("a\n1\n")
    said = sentences(runtime.settings)
    assert "data centre" not in said
    assert "storage" not in said


def test_a_storage_that_is_not_made_yet_is_fine_and_stays_so(runtime: Runtime) -> None:
    assert "storage" not in sentences(runtime.settings)
    assert not (runtime.settings.data / "datacenter").exists()


def test_a_storage_whose_disk_is_away_is_an_error(runtime: Runtime, elsewhere: Path) -> None:
    shutil.rmtree(elsewhere)
    assert found(runtime.settings, "is not there").level is Level.ERROR
    elsewhere.mkdir()  # its mount point
    assert found(runtime.settings, "is not there").level is Level.ERROR


def test_a_folder_that_leads_elsewhere_is_an_error(
    runtime: Runtime, storage: Path, tmp_path: Path
) -> None:
    (storage / "finished").rmdir()
    (storage / "finished").symlink_to(tmp_path)
    assert found(runtime.settings, "no plain folder").level is Level.ERROR


def test_a_storage_that_everybody_may_look_into_is_an_error(
    runtime: Runtime, elsewhere: Path
) -> None:
    elsewhere.chmod(0o755)
    assert found(runtime.settings, "look into the data centre").level is Level.ERROR
    elsewhere.chmod(0o770)
    assert "look into the data centre" not in sentences(runtime.settings)


def test_a_disk_without_room_is_an_error(
    make_settings: Callable[..., Settings], elsewhere: Path
) -> None:
    settings = make_settings(disk_reserve_mb=10**9)
    assert found(settings, "The disk of the storage").level is Level.ERROR


@pytest.mark.parametrize(("minutes", "told"), [(4, False), (6, True)])
def test_moves_that_do_not_end_are_an_error(runtime: Runtime, minutes: int, told: bool) -> None:
    with runtime.sessions.begin() as session:
        session.add(
            DataCenterIntent(
                id=uuid4().hex,
                occasion="x",
                kind="distribution",
                subject="x",
                steps=[],
                detail={},
                token=1,
                touched_at=db_now(-60 * minutes),
            )
        )
    assert ("Moves of files" in sentences(runtime.settings)) is told


def test_names_that_could_do_harm_are_told_without_doing_any(
    runtime: Runtime, storage: Path
) -> None:
    (storage / "two\nlines.csv").write_text("a\n1\n")
    finding = found(runtime.settings, "could do harm")
    assert finding.level is Level.ADVICE
    assert "\n" not in finding.sentence


def test_files_that_are_no_tables_are_told(runtime: Runtime, storage: Path) -> None:
    (storage / "letter.pdf").write_text("x")
    assert "letter.pdf" in found(runtime.settings, "cannot read").sentence


def test_copies_of_batches_that_are_gone_are_told(runtime: Runtime) -> None:
    office = open_office(runtime, Role.ADMIN)
    office.put("p.csv", "id,title\nred,Red\n")
    batch = office.process("p.csv", "projects")
    assert "is gone" not in sentences(runtime.settings)
    batch.order.file.unlink()
    assert found(runtime.settings, "file is gone: 1").level is Level.ADVICE
