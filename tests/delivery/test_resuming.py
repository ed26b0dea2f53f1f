"""Large files go on where a broken line cut them off, and are whole all the same."""

from io import BytesIO

import pytest

from portal.delivery.dialling import open_remote
from portal.delivery.remote import Server
from portal.delivery.states import Direction
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

CONTENT = bytes(range(256)) * 16_000  # 4 MB
HALF = 2_000_000


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


@pytest.fixture
def inbox(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder, direction=Direction.FETCH)


def rests(scripted: ScriptedServer) -> list[int]:
    return [int(line[5:]) for line in scripted.script.commands if line.startswith("REST")]


def test_sending_goes_on_where_the_line_broke(site: Site, scripted: ScriptedServer) -> None:
    site.put("a", CONTENT)
    scripted.script.drop_at_byte = HALF
    assert site.run().state == JobState.SUCCEEDED
    assert site.there() == {"a": CONTENT}
    assert max(rests(scripted)) >= HALF


def test_what_is_not_the_beginning_of_the_file_is_not_gone_on_with(
    site: Site, scripted: ScriptedServer
) -> None:
    """As after a server fell: the length is right, the last bytes are not."""
    site.put("a", CONTENT)

    def spoil() -> None:
        for path in site.folder.glob(".portal-*"):
            if path.stat().st_size > HALF // 2:
                path.write_bytes(bytes(path.stat().st_size))

    scripted.script.drop_at_byte = HALF
    scripted.script.on_retrieve = spoil
    assert site.run().state == JobState.SUCCEEDED
    assert site.there() == {"a": CONTENT}


def cut_off(site: Site, name: str, part: bytes) -> None:
    """As a run leaves it that was killed while it fetched."""
    row = site.rows()[0]
    (site.spool.root / "tmp" / row.temporary).write_bytes(part)
    assert row.name == name


def test_fetching_goes_on_where_a_run_was_cut_off(inbox: Site, scripted: ScriptedServer) -> None:
    (inbox.folder / "a").write_bytes(CONTENT)
    scripted.script.always["RETR a"] = "drop"
    inbox.run()
    cut_off(inbox, "a", CONTENT[:HALF])
    scripted.script.always.clear()
    assert inbox.run().state == JobState.SUCCEEDED
    assert (inbox.spool.root / "new" / "a").read_bytes() == CONTENT
    assert rests(scripted) == [HALF]
    assert inbox.there() == {}


def test_a_file_that_changed_is_fetched_anew(inbox: Site, scripted: ScriptedServer) -> None:
    (inbox.folder / "a").write_bytes(CONTENT)
    scripted.script.always["RETR a"] = "drop"
    inbox.run()
    cut_off(inbox, "a", CONTENT[:HALF])
    (inbox.folder / "a").write_bytes(CONTENT[::-1] + b"x")
    scripted.script.always.clear()
    assert inbox.run().state == JobState.SUCCEEDED
    assert (inbox.spool.root / "new" / "a").read_bytes() == CONTENT[::-1] + b"x"
    assert rests(scripted) == []


def test_what_was_taken_from_the_server_meanwhile_is_forgotten(
    inbox: Site, scripted: ScriptedServer
) -> None:
    (inbox.folder / "a").write_bytes(CONTENT)
    scripted.script.always["RETR a"] = "drop"
    inbox.run()
    cut_off(inbox, "a", CONTENT[:HALF])
    (inbox.folder / "a").unlink()
    scripted.script.always.clear()
    assert inbox.run().state == JobState.SUCCEEDED
    assert inbox.here() == {}
    assert inbox.states() == {"a": "returned"}


def test_every_server_sends_the_rest_of_a_file(server: Server) -> None:
    blocks: list[bytes] = []
    with open_remote(server) as remote:
        remote.store("a", BytesIO(CONTENT).read, told=lambda _block: None)
        remote.retrieve("a", told=blocks.append, offset=HALF)
    assert b"".join(blocks) == CONTENT[HALF:]
