"""A backup holds the data centre's files, wherever they lie and however they move meanwhile."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.accounts.permissions import SYSTEM
from portal.backup import restore_backup, write_backup
from portal.backups.kept_files import kept_files
from portal.datacenter.service import change_storage_path, finish_intended, open_data_center
from portal.datacenter.uploads import Upload, accept_upload
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.scenes import SCENES, lay, lying, make_results

Opened = Callable[[Settings], Runtime]
FILES = {
    "x.csv": b"name\n1\n",
    "finished/x.create.finished.csv": b"name\n1\n",
    "unfinished/y.csv": b"name\n2\n",
    "deleted/users.csv": b"name\n3\n",
    "graduated/users.csv": b"name\n4\n",
    "logs/users.log": b"line\n",
    "people's own folder/z.csv": b"name\n5\n",
}


class Crash(BaseException):
    """The process ends here."""


def restored(backup: Path, place: Settings) -> dict[str, bytes]:
    restore_backup(place, backup)
    return lying(place.data / "datacenter")


def test_every_file_of_the_storage_comes_back(
    runtime: Runtime, tmp_path: Path, empty_place: Settings
) -> None:
    storage = open_data_center(runtime).storage
    lay(storage, FILES)
    report = write_backup(runtime.settings, tmp_path / "portal.tar")
    assert (report.missing, report.damaged) == ((), ())
    assert restored(tmp_path / "portal.tar", empty_place) == FILES
    assert not (storage / ".work").exists()


def test_a_storage_elsewhere_is_restored_into_the_data_folder(
    runtime: Runtime, tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    (tmp_path / "elsewhere").mkdir()
    change_storage_path(runtime, path=tmp_path / "elsewhere", move=False)
    lay(tmp_path / "elsewhere", FILES)
    write_backup(runtime.settings, tmp_path / "portal.tar")
    assert restored(tmp_path / "portal.tar", empty_place) == FILES
    storage = open_data_center(opened(empty_place)).storage
    assert storage == empty_place.data / "datacenter"


def test_it_stays_known_who_sent_a_restored_file(
    make_settings: Callable[..., Settings], tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    runtime = opened(make_settings(datacenter_settle_seconds=600, disk_reserve_mb=0))
    accept_upload(
        runtime, upload=Upload(name="x.csv", stream=io.BytesIO(b"name\n1\n")), actor=SYSTEM
    )
    write_backup(runtime.settings, tmp_path / "portal.tar")
    restore_backup(empty_place, tmp_path / "portal.tar")
    place = empty_place.model_copy(update={"datacenter_settle_seconds": 600.0})
    assert [file.name for file in open_data_center(opened(place)).get_pending_files()] == ["x.csv"]


@pytest.mark.parametrize("name", [b"two\nlines.csv", b"back\\slash.csv", b"latin\xe9.csv"])
def test_no_name_that_people_dropped_spoils_a_backup(
    runtime: Runtime, tmp_path: Path, empty_place: Settings, name: bytes
) -> None:
    storage = open_data_center(runtime).storage
    with open(bytes(storage) + b"/" + name, "wb") as stream:
        stream.write(b"name\n1\n")
    write_backup(runtime.settings, tmp_path / "portal.tar")
    assert list(restored(tmp_path / "portal.tar", empty_place).values()) == [b"name\n1\n"]


@pytest.mark.parametrize("scene", SCENES)
def test_a_distribution_that_a_backup_caught_half_way_is_finished_after_the_restore(
    runtime: Runtime, tmp_path: Path, empty_place: Settings, opened: Opened, scene: str
) -> None:
    def die(point: str) -> None:
        if point == "done-0":
            raise Crash

    center = open_data_center(runtime, mark=die)
    lay(center.storage, SCENES[scene].lying)
    arguments = make_results(tmp_path / "results", center.storage, SCENES[scene])
    with pytest.raises(Crash):
        center.dist_processed_files(**arguments)
    write_backup(runtime.settings, tmp_path / "portal.tar")
    restore_backup(empty_place, tmp_path / "portal.tar")
    finish_intended(opened(empty_place), quiet_seconds=-1)
    assert lying(empty_place.data / "datacenter") == SCENES[scene].after


def test_what_moves_while_a_backup_reads_is_in_it_once(runtime: Runtime, tmp_path: Path) -> None:
    center, scene = open_data_center(runtime), SCENES["with errors"]
    lay(center.storage, scene.lying)
    lay(center.storage, {"a.csv": b"name\n1\n"})
    content = []
    with runtime.reads() as session:
        for number, file in enumerate(kept_files(session, runtime.settings)):
            content.append(file.path.read_bytes())
            if number == 0:
                results = make_results(tmp_path / "results", center.storage, scene)
                center.dist_processed_files(**results)
    assert sorted(content) == sorted([b"name\n1\n", scene.original])
