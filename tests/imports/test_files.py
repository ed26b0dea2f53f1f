"""Files of imports: taken in whole, kept as long as they are needed, and out of folders."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Role
from portal.assembly import KINDS
from portal.errors import ForbiddenError, InvalidError
from portal.imports.files import ABANDONED_SECONDS, store_file, sweep_waiting, waiting_folder
from portal.imports.orders import ImportOrder
from portal.imports.scheduled import schedule_import
from portal.jobs.due import run_due
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, Notification, Schedule
from portal.jobs.runner import perform
from portal.rows.copies import sources_folder
from portal.settings import Settings
from tests.imports.scenes import Desk, failed, succeeded

GOOD = "code,height\na,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tables_url: str, folder: Path) -> Settings:
    return make_settings(
        tables_url=tables_url,
        disk_reserve_mb=0,
        upload_limit_mb=1,
        imports_quota_mb=2,
        imports_folders=(str(folder),),
    )


def waiting(desk: Desk) -> list[Path]:
    return list(waiting_folder(desk.runtime.settings).iterdir())


def test_a_file_waits_until_its_import_begins_and_then_is_the_batchs(desk: Desk) -> None:
    asked = desk.ask("trunk.csv", GOOD, table="trunk")
    assert len(waiting(desk)) == 1
    job = desk.perform(asked)
    assert waiting(desk) == []
    assert desk.batch(job).order.file.read_text() == GOOD
    assert desk.batch(job).order.file.parent == sources_folder(desk.runtime.settings)


def test_a_file_that_is_too_large_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(InvalidError, match="PORTAL_UPLOAD_LIMIT_MB"):
        desk.store("trunk.csv", b"x" * 1_000_001)
    assert waiting(desk) == []


def test_more_than_the_quota_is_refused(desk: Desk) -> None:
    desk.store("one.csv", b"x" * 900_000)
    desk.store("two.csv", b"x" * 900_000)
    with pytest.raises(InvalidError, match="PORTAL_IMPORTS_QUOTA_MB"):
        desk.store("three.csv", b"x" * 900_000)


def test_a_name_that_is_a_path_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidError):
        store_file(desk.runtime, stream=io.BytesIO(b"x"), name="../trunk.csv", actor=desk.actor)


def make_old(desk: Desk) -> None:
    long_ago = desk.runtime.clock().timestamp() - ABANDONED_SECONDS - 1
    for path in waiting(desk):
        os.utime(path, (long_ago, long_ago))


def test_a_file_for_which_nobody_asked_is_swept_in_the_end(desk: Desk) -> None:
    desk.store("trunk.csv", GOOD)
    assert sweep_waiting(desk.runtime) == 0
    make_old(desk)
    assert sweep_waiting(desk.runtime) == 1
    assert waiting(desk) == []


def test_a_file_whose_job_waits_is_never_swept(desk: Desk) -> None:
    asked = desk.ask("trunk.csv", GOOD, table="trunk")
    make_old(desk)
    assert sweep_waiting(desk.runtime) == 0
    succeeded(desk.perform(asked))


def test_a_job_whose_file_is_gone_says_so(desk: Desk) -> None:
    asked = desk.ask("trunk.csv", GOOD, table="trunk")
    waiting(desk)[0].unlink()
    assert "no longer kept" in failed(desk.perform(asked))


def at(desk: Desk, path: Path | str) -> Job:
    return desk.perform(desk.ask_for(ImportOrder.at(str(path), table="trunk")))


def test_a_file_in_an_allowed_folder_is_imported_by_its_path(desk: Desk, folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "trunk.csv").write_text(GOOD)
    job = at(desk, folder / "in" / "trunk.csv")
    assert succeeded(job) == "Successfully imported 1 row(s)"
    assert desk.batch(job).order.file.parent == sources_folder(desk.runtime.settings)


@pytest.mark.parametrize("path", ["/etc/passwd", "{folder}/../secret.csv", "{folder}", "x.csv"])
def test_other_paths_are_refused_at_once(desk: Desk, folder: Path, path: str) -> None:
    with pytest.raises(ForbiddenError, match="PORTAL_IMPORTS_FOLDERS"):
        at(desk, path.format(folder=folder))


def test_no_link_out_of_the_folder_is_followed(desk: Desk, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "trunk.csv").write_text(GOOD)
    (folder / "file.csv").symlink_to(tmp_path / "away" / "trunk.csv")
    (folder / "linked").symlink_to(tmp_path / "away")
    for path in (folder / "file.csv", folder / "linked" / "trunk.csv"):
        failed(at(desk, path))
    assert desk.rows("SELECT * FROM trunk") == []


def test_a_pipe_is_no_file(desk: Desk, folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    assert "no file" in failed(at(desk, folder / "pipe.csv"))


def make_due(desk: Desk) -> JobEngine:
    with desk.runtime.sessions.begin() as session:
        for schedule in session.scalars(select(Schedule)):
            schedule.next_at = desk.runtime.clock()
    return JobEngine(runtime=desk.runtime, kinds=KINDS)


def run_schedule(desk: Desk) -> Job:
    engine = make_due(desk)
    assert run_due(engine) == 1
    with desk.runtime.reads() as session:
        job_id = session.scalars(select(Schedule.last_job_id)).one()
    assert job_id is not None
    perform(job_id, engine=engine)
    return desk.job(job_id)


def schedule(desk: Desk, path: Path | str) -> None:
    order = ImportOrder.at(str(path), table="trunk")
    with desk.runtime.sessions.begin() as session:
        schedule_import(session, order=order, cron="0 6 * * *", wish=desk.wish())


def test_a_scheduled_import_runs_as_its_owner(desk: Desk, folder: Path) -> None:
    clerk = desk.person("berta", Role.ADMIN)
    schedule(clerk, folder / "trunk.csv")
    (folder / "trunk.csv").write_text(GOOD)
    job = run_schedule(clerk)
    assert succeeded(job) == "Successfully imported 1 row(s)"
    assert job.requester_name == "berta"


def test_the_owner_is_told_of_a_file_that_is_not_there(desk: Desk, folder: Path) -> None:
    clerk = desk.person("berta", Role.ADMIN)
    schedule(clerk, folder / "trunk.csv")
    said = failed(run_schedule(clerk))
    assert said == f"The expected file is not there: {folder}/trunk.csv"
    with desk.runtime.reads() as session:
        [notice] = session.scalars(select(Notification)).all()
    assert notice.user_id == clerk.actor.user_id
    assert said in notice.message


def test_a_path_that_is_not_allowed_is_put_on_no_schedule(desk: Desk) -> None:
    with pytest.raises(ForbiddenError):
        schedule(desk.person("berta", Role.ADMIN), "/etc/passwd")


def put(folder: Path, name: str, text: str, *, age: float = 0) -> None:
    """A file that was written so many seconds ago."""
    path = folder / name
    path.write_text(text)
    written = path.stat().st_mtime - age
    os.utime(path, (written, written))


def test_a_pattern_means_the_newest_file_that_fits(desk: Desk, folder: Path) -> None:
    put(folder, "Trunk-1.csv", "code,height\nold,1\n", age=60)
    put(folder, "trunk-2.csv", "code,height\nnew,1\n", age=30)
    put(folder, "other.csv", "code,height\nother,1\n")
    put(folder, "trunk-3.csv.part", "code,height\npart,1\n")
    job = at(desk, folder / "TRUNK-*.csv")
    assert succeeded(job) == "Successfully imported 1 row(s)"
    assert desk.batch(job).order.file_name == "trunk-2.csv"
    assert desk.rows("SELECT code FROM trunk") == [("new",)]


def test_a_file_whose_own_name_looks_like_a_pattern_is_meant_itself(
    desk: Desk, folder: Path
) -> None:
    put(folder, "trunk[1].csv", GOOD, age=60)
    put(folder, "trunk1.csv", "code,height\nother,1\n")
    assert desk.batch(at(desk, folder / "trunk[1].csv")).order.file_name == "trunk[1].csv"


def test_nothing_that_fits_a_pattern_is_a_missing_file(desk: Desk, folder: Path) -> None:
    assert failed(at(desk, folder / "trunk-*.csv")) == (
        f"The expected file is not there: no file is called like {folder}/trunk-*.csv"
    )


def test_an_old_file_is_not_imported_again_when_the_new_one_is_late(
    desk: Desk, folder: Path
) -> None:
    clerk = desk.person("berta", Role.ADMIN)
    schedule(clerk, folder / "trunk-*.csv")
    put(folder, "trunk-1.csv", GOOD, age=60)
    succeeded(run_schedule(clerk))
    said = failed(run_schedule(clerk))
    assert said.startswith("The expected file is not there: no new file is called like")
    assert "trunk-1.csv: The same file was imported into this table on" in said
    put(folder, "trunk-2.csv", "code,height\nc,1\n")
    assert succeeded(run_schedule(clerk)) == "Successfully imported 1 row(s)"
