"""The lock on the server: either keeps both directions out; ours is always removed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.delivery.lock_notes import LockNote, read_note, told
from portal.delivery.states import Direction
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def note(**values: object) -> LockNote:
    facts = {"id": "x" * 32, "owner": "somebody", "host": "there", "process": 1}
    return LockNote(**facts | {"since": NOW, "beat": NOW} | values)  # type: ignore[arg-type]


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


def fetching(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder, direction=Direction.FETCH)


@pytest.mark.parametrize("lock", ["write", "read"])
@pytest.mark.parametrize("direction", list(Direction))
def test_either_lock_keeps_both_directions_out(
    runtime: Runtime, scripted: ScriptedServer, lock: str, direction: Direction
) -> None:
    site = Site(runtime, url=scripted.url(), folder=scripted.folder, direction=direction)
    site.put("a")
    (site.folder / "b").write_bytes(b"b")
    (site.folder / lock).write_text("This is a lock file.\n")
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert job.result["locked"]["owner"] == "This is a lock file."
    assert sorted(site.there()) == sorted(["b", lock])
    assert site.here() == {"new": ["a"]}


def test_a_locked_server_is_shown_and_visited_again(site: Site) -> None:
    site.put("a")
    (site.folder / "write").write_bytes(note().written())
    site.run()
    blocked = site.channel().blocked
    assert (blocked["owner"], blocked["host"], blocked["stale"]) == ("somebody", "there", True)
    assert site.channel().next_try_at is not None
    (site.folder / "write").unlink()
    site.run()
    assert sorted(site.there()) == ["a"]
    assert site.channel().blocked == {}


@pytest.mark.parametrize(
    ("command", "reply"),
    [("STOR .portal-", "552 Full."), ("RNTO a", "553 No."), ("STOR .portal-", "drop")],
)
def test_our_lock_is_removed_however_the_run_ends(
    site: Site, scripted: ScriptedServer, command: str, reply: str
) -> None:
    site.put("a")
    scripted.script.armed_by = "RNTO write"
    scripted.script.always[command] = reply
    site.run()
    assert "write" not in site.there()
    assert site.channel().lock_id == ""


def test_a_lock_that_we_left_behind_is_ours_again(site: Site) -> None:
    """As after a kill: the file is there, and the channel's row knows its id."""
    site.put("a")
    (site.folder / "write").write_bytes(note(id="y" * 32).written())
    site.change(lock_id="y" * 32)
    assert site.run().state == JobState.SUCCEEDED
    assert site.there() == {"a": b"content"}


def test_a_half_written_lock_of_ours_is_removed(site: Site) -> None:
    site.put("a")
    (site.folder / f".portal-lock-{'y' * 32}").write_bytes(b"{")
    site.change(lock_id="y" * 32)
    site.run()
    assert site.there() == {"a": b"content"}


def test_another_s_lock_is_never_removed(site: Site, scripted: ScriptedServer) -> None:
    """Two wrote at the same moment: who reads another's id back goes away."""
    site.put("a")
    other = note().written()
    scripted.script.on_rename = {"write": other}
    job = site.run()
    assert job.state == JobState.FAILED
    assert "another's" in job.reason
    assert site.there() == {"write": other}


def test_a_note_is_read_as_it_was_written() -> None:
    assert read_note(note().written()) == note()


@pytest.mark.parametrize(
    "content",
    [b"", b"This is a lock file.", b"{}", b"[]", b"\xff", b'{"id": 1}', b"null"],
)
def test_what_others_write_is_no_note_of_ours(content: bytes) -> None:
    assert read_note(content) is None


def test_a_time_without_a_zone_is_no_note() -> None:
    facts = json.loads(note().written()) | {"beat": "2026-11-21T12:00:00"}
    assert read_note(json.dumps(facts).encode()) is None


@pytest.mark.parametrize(("minutes", "stale"), [(14, False), (16, True)])
def test_a_lock_without_a_sign_of_life_is_stale(minutes: int, stale: bool) -> None:
    now = NOW + timedelta(minutes=minutes)
    assert note().is_stale(now) == stale
    assert told("write", note().written(), modified=None, now=now)["stale"] == stale


def test_a_foreign_lock_is_as_old_as_its_file() -> None:
    told_of = told("read", b"cds", modified=NOW, now=NOW + timedelta(hours=1))
    assert (told_of["owner"], told_of["stale"]) == ("cds", True)


@pytest.mark.parametrize("direction", list(Direction))
def test_during_a_long_file_the_lock_shows_signs_of_life(
    runtime: Runtime, scripted: ScriptedServer, direction: Direction
) -> None:
    """By a connection of its own, for that of the file is busy."""
    later = timedelta()
    moved = replace(runtime, clock=lambda: NOW + later)

    def pass_time() -> None:
        nonlocal later
        later += timedelta(minutes=2)

    site = Site(moved, url=scripted.url(), folder=scripted.folder, direction=direction)
    site.put("sent", bytes(10**6))
    (site.folder / "fetched").write_bytes(bytes(10**6))
    scripted.script.armed_by = "RNTO"
    scripted.script.on_store = scripted.script.on_retrieve = pass_time
    assert site.run().state == JobState.SUCCEEDED
    beats = [line for line in scripted.script.commands if line.startswith("RNTO")]
    assert len([line for line in beats if line in ("RNTO write", "RNTO read")]) >= 2
    signed_in = [line for line in scripted.script.commands if line.startswith("PASS")]
    assert len(signed_in) >= 2
