"""The seed "Data Center", walked in its own order against a real database and a real folder."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.intents import DatabaseIntents
from portal.runtime import Runtime
from portal.settings import Settings

DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
ROOT = ["deleted", "finished", "graduated", "logs", "unfinished"]


@pytest.fixture
def mydatacenter(runtime: Runtime, settings: Settings) -> DataCenter:
    return DataCenter(
        settings.data / "datacenter",
        intents=DatabaseIntents(runtime.sessions.begin, clock=runtime.clock),
        clock=runtime.clock,
        zone=settings.zone,
    )


def test_the_seed(
    mydatacenter: DataCenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    # "Creating a data center"
    assert isinstance(mydatacenter, DataCenter)
    storagepath = mydatacenter.storage
    assert storagepath.is_dir()
    del_path = mydatacenter.deleted_path
    assert os.path.isdir(del_path) is True
    grad_path = mydatacenter.graduated_path
    assert os.path.isdir(grad_path) is True

    # "Managing the storage path"
    os.mkdir("newlocation")
    newpath = Path(os.path.abspath("newlocation"))
    assert mydatacenter.set_storage_path(newpath) == []
    (newpath / "myfile.txt").write_bytes(b"hello")
    verynewpath = Path(os.path.abspath("verynewlocation"))
    os.mkdir(verynewpath)
    assert mydatacenter.set_storage_path(verynewpath, move=True) == []
    storagepath = mydatacenter.storage
    assert "myfile.txt" in os.listdir(verynewpath)
    os.unlink(storagepath / "myfile.txt")

    # "Uploading files"
    assert mydatacenter.get_pending_files() == []
    filepath = storagepath / "data.csv"
    filepath.write_bytes(b"Some Content\n")
    [found] = mydatacenter.get_pending_files()
    assert isinstance(found, DataCenterFile)
    datafile = mydatacenter.get_pending_files()[0]
    assert datafile.get_size() == "13 bytes"
    assert DATE.fullmatch(datafile.get_date())
    shutil.rmtree(newpath)
    shutil.rmtree(verynewpath)

    # "Distributing processed files"
    dc_root = mydatacenter.storage
    fin_dir = dc_root / "finished"
    unfin_dir = dc_root / "unfinished"

    def recreate_dc_storage() -> None:
        if dc_root.exists():
            shutil.rmtree(dc_root)
        os.mkdir(dc_root)
        mydatacenter.set_storage_path(mydatacenter.storage)

    recreate_dc_storage()

    def create_fake_results(
        source_basename: str, *, create_pending: bool = True
    ) -> tuple[Path, Path, Path, Path | None]:
        tmp_dir = Path(tempfile.mkdtemp(dir=tmp_path))
        src = dc_root / source_basename
        pending_src = tmp_dir / "mypendingsource.csv" if create_pending else None
        finished_src = tmp_dir / "myfinishedsource.csv"
        for path in (src, pending_src, finished_src):
            if path is not None:
                path.write_bytes(b"blah")
        return tmp_dir, src, finished_src, pending_src

    # "Let's start with a source file, that was processed successfully"
    tmp_dir, src, finished_src, pending_src = create_fake_results(
        "mysource.csv", create_pending=False
    )
    mydatacenter.dist_processed_files(True, src, finished_src, pending_src, mode="create")
    assert sorted(os.listdir(dc_root)) == ROOT
    assert sorted(os.listdir(fin_dir)) == ["mysource.create.finished.csv", "mysource.csv"]
    assert sorted(os.listdir(unfin_dir)) == []
    assert os.path.exists(tmp_dir) is False

    # "Now we restart, but this time we fake an erranous action"
    recreate_dc_storage()
    tmp_dir, src, finished_src, pending_src = create_fake_results("mysource.csv")
    mydatacenter.dist_processed_files(False, src, finished_src, pending_src, mode="create")
    assert sorted(os.listdir(dc_root)) == sorted([*ROOT, "mysource.create.pending.csv"])
    assert sorted(os.listdir(fin_dir)) == ["mysource.create.finished.csv"]
    assert sorted(os.listdir(unfin_dir)) == ["mysource.csv"]

    # "We fake processing the pending file and assume that everything went well this time"
    tmp_dir, src, finished_src, pending_src = create_fake_results(
        "mysource.create.pending.csv", create_pending=False
    )
    mydatacenter.dist_processed_files(True, src, finished_src, pending_src, mode="create")
    assert sorted(os.listdir(dc_root)) == ROOT
    assert sorted(os.listdir(fin_dir)) == ["mysource.create.finished.csv", "mysource.csv"]
    assert sorted(os.listdir(unfin_dir)) == []

    # "We restart again, but this time we fake several non-working imports in a row"
    recreate_dc_storage()
    tmp_dir, src, finished_src, pending_src = create_fake_results("mysource.csv")
    mydatacenter.dist_processed_files(False, src, finished_src, pending_src, mode="create")
    for _attempt in ("which fails again", "the new pending file"):
        tmp_dir, src, finished_src, pending_src = create_fake_results("mysource.create.pending.csv")
        mydatacenter.dist_processed_files(False, src, finished_src, pending_src, mode="create")
    assert sorted(os.listdir(dc_root)) == sorted([*ROOT, "mysource.create.pending.csv"])
    assert sorted(os.listdir(fin_dir)) == ["mysource.create.finished.csv"]
    assert sorted(os.listdir(unfin_dir)) == ["mysource.csv"]

    # "Finally, we process the pending file and everything works"
    tmp_dir, src, finished_src, pending_src = create_fake_results(
        "mysource.create.pending.csv", create_pending=False
    )
    mydatacenter.dist_processed_files(True, src, finished_src, pending_src, mode="create")
    assert sorted(os.listdir(dc_root)) == ROOT
    assert sorted(os.listdir(fin_dir)) == ["mysource.create.finished.csv", "mysource.csv"]
    assert sorted(os.listdir(unfin_dir)) == []

    # "We can get a list of imported files stored in the finished subfolder"
    [finished] = mydatacenter.get_finished_files()
    assert isinstance(finished, DataCenterFile)
    datafile = mydatacenter.get_finished_files()[0]
    assert datafile.get_size() == "2 bytes"
    assert DATE.fullmatch(datafile.get_date())
    shutil.rmtree(verynewpath)
