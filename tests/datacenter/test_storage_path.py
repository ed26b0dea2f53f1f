"""Another folder for the storage: with its files or without, and none of them lost."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor
from portal.audit.models import AuditEntry
from portal.datacenter.claims import claim_file
from portal.datacenter.folders import DataCenter
from portal.datacenter.service import change_storage_path, finish_intended, open_data_center
from portal.errors import ConflictError, ForbiddenError, InvalidError
from portal.runtime import Runtime
from tests.datacenter.jobs import make_job
from tests.datacenter.scenes import lay, lying

FILES = {
    "a.csv": b"a\n",
    "finished/b.create.finished.csv": b"b\n",
    "deleted/c.csv": b"c\n",
    "logs/users.log": b"line\n",
}


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = tmp_path / "new place"
    folder.mkdir()
    return folder


def test_every_process_finds_the_new_storage(
    runtime: Runtime, center: DataCenter, new: Path
) -> None:
    center.set_storage_path(new)
    assert open_data_center(runtime).storage == new


def test_without_moving_the_files_stay(center: DataCenter, new: Path) -> None:
    old = center.storage
    lay(old, FILES)
    assert center.set_storage_path(new) == []
    assert (lying(old), lying(new)) == (FILES, {})


def test_moving_merges_the_five_folders(center: DataCenter, new: Path) -> None:
    old = center.storage
    lay(old, FILES)
    lay(new, {"finished/d.csv": b"d\n"})
    assert center.set_storage_path(new, move=True) == []
    assert lying(new) == FILES | {"finished/d.csv": b"d\n"}
    assert list(old.iterdir()) == []


def test_what_could_not_be_moved_is_named_and_stays(center: DataCenter, new: Path) -> None:
    old = center.storage
    lay(old, FILES | {"x.csv.part": b"on its way", ".hidden": b"h"})
    (old / "link.csv").symlink_to("a.csv")
    lay(new, {"a.csv": b"another\n", "finished/b.create.finished.csv": b"b\n"})
    left = center.set_storage_path(new, move=True)
    assert left == ["a.csv", "link.csv", "x.csv.part"]
    assert (old / "a.csv").read_bytes() == b"a\n"
    assert (new / "a.csv").read_bytes() == b"another\n"


def test_overwriting_must_be_asked_for(center: DataCenter, new: Path) -> None:
    lay(center.storage, {"a.csv": b"mine\n"})
    lay(new, {"a.csv": b"theirs\n"})
    assert center.set_storage_path(new, move=True, overwrite=True) == []
    assert lying(new) == {"a.csv": b"mine\n"}


def test_the_present_storage_only_gets_its_folders_back(center: DataCenter) -> None:
    (center.storage / "finished").rmdir()
    assert center.set_storage_path(center.storage, move=True) == []
    assert (center.storage / "finished").is_dir()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("relative", "in full"),
        ("{tmp}/missing", "is no folder"),
        ("{data}", "Portal's own data"),
        ("{data}/projects", "Portal's own data"),
        ("{tmp}", "Portal's own data"),
        ("/", "Portal's own data"),
        ("{data}/datacenter/finished", "Portal's own data"),
        ("{tmp}/link", "Portal's own data"),
    ],
)
def test_an_unfit_place_is_refused(
    center: DataCenter, runtime: Runtime, tmp_path: Path, place: str, why: str
) -> None:
    data = runtime.settings.data
    (data / "projects").mkdir()
    (tmp_path / "link").symlink_to(data / "projects")
    path = Path(place.format(tmp=tmp_path, data=data))
    with pytest.raises(InvalidError, match=why):
        center.set_storage_path(path)
    assert open_data_center(runtime).storage == center.storage


@pytest.mark.parametrize("name", ["passwd", "apache2/sites.csv", "logs/app.csv"])
def test_a_folder_with_what_is_not_of_the_data_centre_is_refused(
    center: DataCenter, new: Path, name: str
) -> None:
    before = center.storage
    lay(new, {"ours.csv": b"a\n", name: b"theirs\n", "etc.conf": b"theirs\n"})
    with pytest.raises(InvalidError, match=r"etc\.conf.*Choose an empty folder"):
        center.set_storage_path(new)
    assert center.storage == before
    assert not (new / "finished").exists()


def test_a_storage_of_before_is_taken_again_whatever_people_laid_there(
    center: DataCenter, new: Path
) -> None:
    default = center.storage
    lay(default, {"notes/read me.txt": b"of people\n"})
    center.set_storage_path(new)
    assert center.set_storage_path(default) == []


def test_a_place_inside_the_present_storage_is_refused(center: DataCenter, new: Path) -> None:
    center.set_storage_path(new)
    (new / "below").mkdir()
    with pytest.raises(InvalidError, match="present storage"):
        center.set_storage_path(new / "below")


def test_the_way_back_to_the_default_is_open(
    runtime: Runtime, center: DataCenter, new: Path
) -> None:
    default = center.storage
    center.set_storage_path(new)
    lay(new, FILES)
    assert center.set_storage_path(default, move=True) == []
    assert lying(default) == FILES


def test_while_a_job_has_a_file_the_storage_stays(
    runtime: Runtime, center: DataCenter, new: Path
) -> None:
    with runtime.sessions.begin() as session:
        claim_file(session, name="a.csv", job_id=make_job(runtime), now=runtime.clock())
    with pytest.raises(ConflictError, match="is being processed"):
        center.set_storage_path(new)


def test_killed_at_any_file_a_move_goes_on_where_it_stood(runtime: Runtime, tmp_path: Path) -> None:
    for stop in range(1, len(FILES) + 2):
        storage, new = open_data_center(runtime).storage, tmp_path / f"place {stop}"
        new.mkdir()
        lay(storage, FILES)
        points: list[str] = []

        def die(point: str, stop: int = stop, points: list[str] = points) -> None:
            points.append(point)
            if len(points) == stop:
                raise Crash

        with pytest.raises(Crash):
            open_data_center(runtime, mark=die).set_storage_path(new, move=True)
        both = [*lying(storage).values(), *lying(new).values()]
        assert sorted(both) == sorted(FILES.values())
        assert finish_intended(runtime, quiet_seconds=-1) == 1
        assert lying(new) == FILES
        assert open_data_center(runtime).storage == new


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of its own; mounting one takes root, as in CI."""
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_files_move_to_another_disk(center: DataCenter, other_disk: Path) -> None:
    old = center.storage
    lay(old, FILES)
    os.utime(old / "a.csv", (1000, 1000))
    assert center.set_storage_path(other_disk, move=True) == []
    assert (lying(other_disk), lying(old)) == (FILES, {})
    assert (other_disk / "a.csv").stat().st_mtime == 1000


def test_a_move_to_a_disk_that_is_too_small_loses_nothing_and_goes_on_with_room(
    runtime: Runtime, center: DataCenter, other_disk: Path
) -> None:
    old = center.storage
    lay(old, {"a.csv": b"a" * 600_000, "b.csv": b"b" * 600_000})
    with pytest.raises(OSError, match="No space"):
        center.set_storage_path(other_disk, move=True)
    both = [*lying(old).values(), *lying(other_disk).values()]
    assert sorted(both) == [b"a" * 600_000, b"b" * 600_000]
    subprocess.run(["mount", "-o", "remount,size=4m", str(other_disk)], check=True)
    assert finish_intended(runtime, quiet_seconds=-1) == 1
    assert (sorted(lying(other_disk)), lying(old)) == (["a.csv", "b.csv"], {})


def test_only_administrators_change_the_storage(runtime: Runtime, clerk: Actor, new: Path) -> None:
    with pytest.raises(ForbiddenError):
        change_storage_path(runtime, path=new, move=False, actor=clerk)


def test_a_change_of_the_storage_goes_into_the_audit_log(runtime: Runtime, new: Path) -> None:
    change_storage_path(runtime, path=new, move=True, actor=SYSTEM, address="192.0.2.1")
    with runtime.reads() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.object_id) == ("datacenter.move", str(new))
