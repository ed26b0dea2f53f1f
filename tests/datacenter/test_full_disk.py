"""A full disk: nothing half-made stays, and with room the same work ends well."""

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.accounts.permissions import SYSTEM
from portal.datacenter.acceptance import RefusedUploadError
from portal.datacenter.service import change_storage_path, open_data_center
from portal.datacenter.uploads import Upload, accept_upload
from portal.runtime import Runtime
from tests.datacenter.scenes import SCENES, lay, lying, make_results

DISK_BYTES = 1_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB; mounting one takes root, as in CI."""
    mount = tmp_path / "disk"
    mount.mkdir()
    size = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


@pytest.fixture
def storage(runtime: Runtime, small_disk: Path) -> Path:
    change_storage_path(runtime, path=small_disk, move=False)
    return small_disk


def fill(storage: Path) -> Path:
    """Use up every byte there is; hidden, as no file of people is meant."""
    ballast = storage / ".ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError("the disk has no end")


@pytest.mark.parametrize("name", ["without errors", "with errors", "repaired", "still faulty"])
def test_on_a_full_disk_a_distribution_changes_nothing_and_is_done_with_room(
    runtime: Runtime, storage: Path, tmp_path: Path, name: str
) -> None:
    scene = SCENES[name]
    lay(storage, scene.lying)
    arguments = make_results(tmp_path / "results", storage, scene)
    ballast = fill(storage)
    with pytest.raises(OSError, match="No space"):
        open_data_center(runtime).dist_processed_files(**arguments, occasion="1")
    ballast.unlink()
    assert lying(storage) == scene.lying
    assert ".work" not in os.listdir(storage)
    open_data_center(runtime).dist_processed_files(**arguments, occasion="1")
    assert lying(storage) == scene.after


def test_an_upload_to_a_full_disk_is_refused_and_nothing_is_kept(
    runtime: Runtime, storage: Path
) -> None:
    content = b"name\n" + b"x\n" * DISK_BYTES
    with pytest.raises(RefusedUploadError, match="disk is full"):
        accept_upload(
            runtime, upload=Upload(name="x.csv", stream=io.BytesIO(content)), actor=SYSTEM
        )
    assert lying(storage) == {}
    assert ".work" not in os.listdir(storage)
