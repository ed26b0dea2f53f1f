"""Fetching: nothing is removed on the server before it is safe here."""

import errno
import hashlib

import pytest

from portal.accounts.permissions import SYSTEM
from portal.delivery.channels import ChannelOptions
from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.inbox import writing_here
from portal.delivery.quarantine import send_again
from portal.delivery.states import AfterFetch, Direction
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.real_servers import RealServer
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site, site_at


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return make(runtime, scripted)


def make(runtime: Runtime, scripted: ScriptedServer, **options: object) -> Site:
    return Site(
        runtime,
        url=scripted.url(),
        folder=scripted.folder,
        direction=Direction.FETCH,
        options=ChannelOptions(**options),  # type: ignore[arg-type]
    )


def new(site: Site) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (site.spool.root / "new").iterdir()}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_server_s_files_are_fetched(runtime: Runtime, real: RealServer) -> None:
    site = site_at(runtime, real, direction=Direction.FETCH)
    files = {f"file {n}": f"content {n}".encode() * 999 for n in range(5)} | {"empty": b""}
    for name, content in files.items():
        (real.folder / name).write_bytes(content)
    job = site.run()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert new(site) == files
    assert site.there() == {}


def test_what_was_fetched_stands_in_the_ledger(site: Site) -> None:
    (site.folder / "a").write_bytes(b"content")
    job = site.run()
    row = site.rows()[0]
    assert (row.state, row.size, row.job_id) == ("received", 7, job.id)
    assert row.sha256 == hashlib.sha256(b"content").hexdigest()
    assert job.result["message"] == "1 file fetched."


@pytest.mark.parametrize("command", ["RETR a", "SIZE a", "DELE a", "EPSV", "MLSD"])
@pytest.mark.parametrize("fault", ["drop", "drop after"])
def test_a_broken_line_loses_nothing_and_fetches_nothing_twice(
    site: Site, scripted: ScriptedServer, command: str, fault: str
) -> None:
    (site.folder / "a").write_bytes(b"a" * 5000)
    (site.folder / "b").write_bytes(b"b" * 5000)
    scripted.script.armed_by = "RNTO read"
    scripted.script.once[command] = fault
    job = site.run()
    if command == "MLSD":  # nothing was begun: the next run does it all
        assert job.state == JobState.FAILED
        job = site.run()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert new(site) == {"a": b"a" * 5000, "b": b"b" * 5000}
    assert site.there() == {}
    assert set(site.states().values()) == {"received"}


def test_a_failed_download_removes_nothing(site: Site, scripted: ScriptedServer) -> None:
    (site.folder / "a").write_bytes(b"content")
    scripted.script.always["RETR a"] = "550 Permission denied."
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert job.result["failed"] == 1
    assert site.there() == {"a": b"content"}
    assert site.here() == {}
    assert site.rows()[0].reason == "permission"
    scripted.script.always.clear()
    site.run()
    assert new(site) == {"a": b"content"}
    assert [(row.state, row.tries) for row in site.rows()] == [("received", 2)]


def test_a_file_that_still_grows_stays_for_the_next_run(
    site: Site, scripted: ScriptedServer
) -> None:
    path = site.folder / "a"
    path.write_bytes(b"first")
    scripted.script.on_retrieve = lambda: path.write_bytes(b"first and second")
    site.run()
    assert site.here() == {}
    assert site.there() == {"a": b"first and second"}
    scripted.script.on_retrieve = None
    site.run()
    assert new(site) == {"a": b"first and second"}


def test_a_newer_file_of_the_same_name_is_not_removed_unseen(
    site: Site, scripted: ScriptedServer
) -> None:
    (site.folder / "a").write_bytes(b"first")
    scripted.script.armed_by = "RNTO read"
    scripted.script.once["DELE a"] = "drop"
    scripted.script.always["USER"] = "421 Away."
    assert site.run().state == JobState.FAILED
    assert site.states() == {"a": "stored"}
    scripted.script.always.clear()
    (site.spool.root / "new" / "a").rename(site.spool.root / "cur" / "a")
    (site.folder / "a").write_bytes(b"second and longer")
    site.run()
    assert new(site) == {"a": b"second and longer"}
    assert [row.state for row in site.rows()] == ["received", "received"]


def test_a_name_that_waits_here_is_left_there(site: Site) -> None:
    (site.folder / "a").write_bytes(b"first")
    site.run()
    (site.folder / "a").write_bytes(b"second")
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert new(site) == {"a": b"first"}
    assert site.there() == {"a": b"second"}
    assert "still has an earlier file" in site.log()


def test_folders_locks_and_files_on_the_way_are_not_fetched(site: Site) -> None:
    (site.folder / "folder").mkdir()
    (site.folder / ".portal-1-1").write_bytes(b"x")
    site.run()
    assert site.here() == {}
    assert list(site.there()) == [".portal-1-1"]


def test_a_refused_name_is_told_once_and_left_there(site: Site) -> None:
    (site.folder / ("x" * 200)).write_bytes(b"x")
    first, second = site.run(), site.run()
    assert (first.result["quarantined"], second.result["quarantined"]) == (1, 0)
    assert (site.rows()[0].state, site.rows()[0].reason) == ("quarantined", "refused name")
    assert "stays on the server" in site.rows()[0].message
    assert len(site.there()) == 1


def test_fetched_files_can_be_moved_to_a_folder_on_the_server(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = make(runtime, scripted, after_fetch=AfterFetch.MOVE, done_folder="done")
    (site.folder / "done").mkdir()
    for content in (b"first", b"second"):
        (site.folder / "a").write_bytes(content)
        site.run()
        (site.spool.root / "new" / "a").unlink()
    done = {path.name: path.read_bytes() for path in (site.folder / "done").iterdir()}
    assert done == {"a": b"first", "a~2": b"second"}
    assert site.there() == {}


def test_files_can_be_kept_there_and_are_fetched_once(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = make(runtime, scripted, after_fetch=AfterFetch.KEEP)
    (site.folder / "a").write_bytes(b"first")
    site.run()
    (site.spool.root / "new" / "a").unlink()
    site.run()
    assert new(site) == {}
    (site.folder / "a").write_bytes(b"second")
    site.run()
    assert new(site) == {"a": b"second"}


def test_only_chosen_files_are_fetched(runtime: Runtime, scripted: ScriptedServer) -> None:
    site = make(runtime, scripted, include="*.xml")
    for name in ("a.xml", "b.txt"):
        (site.folder / name).write_bytes(b"x")
    site.run()
    assert list(new(site)) == ["a.xml"]
    assert list(site.there()) == ["b.txt"]


def test_what_fails_again_and_again_is_put_aside_until_somebody_says_so(
    site: Site, scripted: ScriptedServer
) -> None:
    (site.folder / "a").write_bytes(b"content")
    scripted.script.always["RETR a"] = "550 Permission denied."
    results = [site.run().result for _ in range(4)]
    assert [result["failed"] for result in results] == [1, 1, 0, 0]
    assert [result["quarantined"] for result in results] == [0, 0, 1, 0]
    scripted.script.always.clear()
    site.run()
    assert site.there() == {"a": b"content"}
    with site.runtime.sessions.begin() as session:
        send_again(session, actor=SYSTEM, file_id=site.rows()[0].id, now=site.runtime.clock())
    site.run()
    assert new(site) == {"a": b"content"}


def test_another_file_of_that_name_is_fetched(site: Site, scripted: ScriptedServer) -> None:
    (site.folder / "a").write_bytes(b"content")
    scripted.script.always["RETR a"] = "550 Permission denied."
    for _ in range(3):
        site.run()
    scripted.script.always.clear()
    (site.folder / "a").write_bytes(b"another content")
    site.run()
    assert new(site) == {"a": b"another content"}


def test_a_full_disk_here_is_no_fault_of_the_server() -> None:
    with pytest.raises(DeliveryError) as caught, writing_here():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.reason == Reason.SPACE
    assert "disk of this machine is full" in str(caught.value)
