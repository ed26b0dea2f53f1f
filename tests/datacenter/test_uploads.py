"""Uploads: refused with the reason and nothing kept, or whole and where they belong."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor
from portal.audit.models import AuditEntry
from portal.datacenter.acceptance import PendingStandsError, RefusedUploadError
from portal.datacenter.claims import claim_file
from portal.datacenter.folders import DataCenter
from portal.datacenter.models import DataCenterFact
from portal.datacenter.service import open_data_center
from portal.datacenter.uploads import Accepted, Upload, accept_upload
from portal.errors import ConflictError, ForbiddenError
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.jobs import make_job
from tests.datacenter.scenes import lay, lying

ROWS = b"name,age\r\nanna,1\r\n"
Put = Callable[..., Accepted]


@pytest.fixture
def put(runtime: Runtime, clerk: Actor) -> Put:
    """`put(name, content, …)` uploads as a clerk."""

    def upload(name: str, content: bytes = ROWS, **values: object) -> Accepted:
        offered = Upload(**{"name": name, "stream": io.BytesIO(content), **values})
        return accept_upload(runtime, upload=offered, actor=clerk, address="192.0.2.1")

    return upload


def test_a_file_lies_in_the_root_as_it_was_sent(put: Put, center: DataCenter) -> None:
    accepted = put("people.csv")
    assert lying(center.storage) == {"people.csv": ROWS}
    assert (accepted.name, accepted.rows, accepted.size) == ("people.csv", 1, len(ROWS))


def test_nothing_but_the_file_is_left_in_the_storage(put: Put, center: DataCenter) -> None:
    put("people.csv")
    assert {path.name for path in center.storage.iterdir()} == {
        "people.csv",
        "deleted",
        "finished",
        "graduated",
        "logs",
        "unfinished",
    }


def test_an_uploaded_file_is_seen_at_once(
    make_settings: Callable[..., Settings], clerk: Actor
) -> None:
    runtime = Runtime.open(make_settings(datacenter_settle_seconds=600, disk_reserve_mb=0))
    accept_upload(runtime, upload=Upload(name="x.csv", stream=io.BytesIO(ROWS)), actor=clerk)
    assert [file.name for file in open_data_center(runtime).get_pending_files()] == ["x.csv"]
    runtime.close()


def test_it_is_known_who_sent_a_file(put: Put, runtime: Runtime) -> None:
    put("people.csv")
    with runtime.reads() as session:
        fact = session.scalars(select(DataCenterFact)).one()
        entry = session.scalars(select(AuditEntry)).one()
    assert (fact.by_name, fact.origin, fact.rows) == ("anna", "upload", 1)
    assert (entry.action, entry.object_id, entry.actor_name, entry.address) == (
        "datacenter.upload",
        "people.csv",
        "anna",
        "192.0.2.1",
    )


@pytest.mark.parametrize("name", ["Ünïcödé und Leerzeichen.csv", "名前.CSV", "../up.csv", ".x.csv"])
def test_people_get_the_name_they_gave(put: Put, center: DataCenter, name: str) -> None:
    put(name)
    [file] = center.get_pending_files()
    assert file.shown == name
    assert file.path.parent == center.storage


def test_people_get_a_name_back_that_is_too_long_for_the_disk(put: Put, runtime: Runtime) -> None:
    name = "データ" * 60 + ".csv"
    put(name)
    [file] = open_data_center(runtime).get_pending_files()
    assert file.shown == name


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("notes.txt", ROWS, "Only CSV files and spreadsheets are taken"),
        ("people", ROWS, "Only CSV files and spreadsheets are taken"),
        ("people.csv.part", ROWS, "Only CSV files and spreadsheets are taken"),
        ("people.csv", b"a,b\n1,2\n\0,4\n", "invalid CSV format. Line 3"),
        ("people.csv", b'a,b\n1,2\n"3,4\n', "invalid CSV format. Line 3"),
        ("people.xlsx", b"PK\x03\x04 no workbook", "cannot be read as a spreadsheet"),
        ("people.csv", b"", "invalid CSV format"),
        ("   ", ROWS, "no name"),
    ],
)
def test_an_unfit_file_is_refused_with_the_reason_and_nothing_is_kept(
    put: Put, center: DataCenter, name: str, content: bytes, why: str
) -> None:
    with pytest.raises(RefusedUploadError if name.strip() else Exception, match=why):
        put(name, content)
    assert lying(center.storage) == {}
    assert not (center.storage / ".work").exists()


@pytest.mark.parametrize("where", ["people.csv", "finished/people.csv", "unfinished/People.CSV"])
def test_a_name_that_was_there_earlier_is_refused(put: Put, center: DataCenter, where: str) -> None:
    lay(center.storage, {where: b"earlier\n"})
    with pytest.raises(RefusedUploadError, match=r"^File with same name was uploaded earlier$"):
        put("people.csv")
    assert lying(center.storage) == {where: b"earlier\n"}


def test_composed_and_decomposed_names_are_the_same_name(put: Put) -> None:
    put("caf\u00e9.csv")
    with pytest.raises(RefusedUploadError, match="same name"):
        put("cafe\u0301.csv")


def test_too_many_waiting_files_are_too_many(
    make_settings: Callable[..., Settings], clerk: Actor
) -> None:
    runtime = Runtime.open(make_settings(datacenter_max_pending=2, disk_reserve_mb=0))
    for name in ("a.csv", "b.csv"):
        accept_upload(runtime, upload=Upload(name=name, stream=io.BytesIO(ROWS)), actor=clerk)
    with pytest.raises(
        RefusedUploadError, match=r"^Maximum number of files in the data center exceeded\.$"
    ):
        accept_upload(runtime, upload=Upload(name="c.csv", stream=io.BytesIO(ROWS)), actor=clerk)
    runtime.close()


class Endless(io.RawIOBase):
    """More than anybody may send; it counts how much was read."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += size
        return b"x" * size


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ({"upload_limit_mb": 1}, "larger than 1 MB"),
        ({"datacenter_quota_mb": 1}, "would exceed 1 MB"),
        ({"disk_reserve_mb": 10**9}, "stay free"),
    ],
)
def test_a_file_that_is_announced_too_large_is_refused_before_it_is_read(
    make_settings: Callable[..., Settings], clerk: Actor, limit: dict[str, int], why: str
) -> None:
    runtime, stream = Runtime.open(make_settings(**{"disk_reserve_mb": 0, **limit})), Endless()
    upload = Upload(name="x.csv", stream=stream, size=2_000_000)
    with pytest.raises(RefusedUploadError, match=why):
        accept_upload(runtime, upload=upload, actor=clerk)
    assert stream.given == 0
    runtime.close()


def test_a_file_that_never_ends_is_cut_off_at_the_limit(
    make_settings: Callable[..., Settings], clerk: Actor
) -> None:
    runtime, stream = Runtime.open(make_settings(upload_limit_mb=1, disk_reserve_mb=0)), Endless()
    with pytest.raises(RefusedUploadError, match="larger than 1 MB"):
        accept_upload(runtime, upload=Upload(name="x.csv", stream=stream), actor=clerk)
    assert stream.given < 4_000_000
    runtime.close()


class Broken(io.RawIOBase):
    """A connection that breaks off after some bytes."""

    def __init__(self) -> None:
        self.left = [ROWS]

    def read(self, size: int = -1) -> bytes:
        if not self.left:
            raise ConnectionResetError
        return self.left.pop()


def test_of_an_upload_that_breaks_off_nothing_is_kept(
    runtime: Runtime, center: DataCenter, clerk: Actor
) -> None:
    with pytest.raises(ConnectionResetError):
        accept_upload(runtime, upload=Upload(name="x.csv", stream=Broken()), actor=clerk)
    assert lying(center.storage) == {}
    assert not (center.storage / ".work").exists()


def test_only_who_may_edit_the_data_centre_uploads(runtime: Runtime) -> None:
    nobody = Actor(user_id=None, name="nobody")
    with pytest.raises(ForbiddenError):
        accept_upload(runtime, upload=Upload(name="x.csv", stream=io.BytesIO(ROWS)), actor=nobody)


def test_a_file_that_a_job_works_on_is_left_alone(put: Put, runtime: Runtime) -> None:
    job_id = make_job(runtime)
    with runtime.sessions.begin() as session:
        claim_file(session, name="people.csv", job_id=job_id, now=runtime.clock())
    with pytest.raises(ConflictError, match="is being processed"):
        put("people.create.pending.csv")


def test_a_repaired_pending_file_takes_the_old_ones_place_only_when_asked(
    put: Put, center: DataCenter
) -> None:
    there = {"x.create.pending.csv": b"old,--ERRORS--\r\n1,bad\r\n", "unfinished/x.csv": ROWS}
    lay(center.storage, there)
    with pytest.raises(PendingStandsError, match="waits to be repaired"):
        put("x.create.pending.csv")
    assert lying(center.storage) == there
    accepted = put("x.create.pending.csv", replace=True)
    assert accepted.repairs == "x.csv"
    assert lying(center.storage) == there | {"x.create.pending.csv": ROWS}


def test_failed_rows_that_a_browser_saved_under_another_name_are_recognised(
    put: Put, center: DataCenter
) -> None:
    lay(center.storage, {"unfinished/x.csv": ROWS})
    accepted = put("x.create.pending (1).csv", b"name,--ERRORS--\r\nanna,\r\n")
    assert (accepted.name, accepted.repairs) == ("x.create.pending.csv", "x.csv")


def test_of_two_uploads_of_one_name_at_once_one_is_taken(
    runtime: Runtime, center: DataCenter
) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    class Late(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                start.wait()
            return super().read(size)

    def upload() -> None:
        try:
            offered = Upload(name="x.csv", stream=Late(ROWS))
            outcomes.append(accept_upload(runtime, upload=offered, actor=SYSTEM).name)
        except (RefusedUploadError, ConflictError):
            outcomes.append("refused")

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "x.csv"]
    assert lying(center.storage) == {"x.csv": ROWS}


def test_a_link_in_the_storage_is_never_followed(
    put: Put, center: DataCenter, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.csv").write_bytes(b"precious\n")
    (center.storage / "people.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(RefusedUploadError, match="same name"):
        put("people.csv")
    assert center.get_pending_files() == []
    assert (tmp_path / "elsewhere.csv").read_bytes() == b"precious\n"
