"""Several connections at once: every file once, in order where that is asked for."""

import pytest

from portal.delivery.channels import ChannelOptions
from portal.delivery.states import Direction
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.real_servers import RealServer
from tests.delivery.scripted_ftp import ScriptedServer, scripted_ftp
from tests.delivery.site import Site, site_at

FILES = {f"file-{number:03}": f"content {number}".encode() * number for number in range(90)}


def sending(runtime: Runtime, scripted: ScriptedServer, **options: object) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder, connections=4, **options)


def signed_in(scripted: ScriptedServer) -> int:
    return sum(line.startswith("PASS") for line in scripted.script.commands)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_server_gets_every_file_once(runtime: Runtime, real: RealServer) -> None:
    site = site_at(runtime, real, connections=4)
    for name, content in FILES.items():
        site.put(name, content)
    job = site.run()
    there = site.there()
    for path in real.folder.iterdir():
        path.unlink()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert there == FILES
    assert site.here() == {"cur": sorted(FILES)}
    assert job.result["done"] == len(FILES)


def test_every_file_is_fetched_once(runtime: Runtime, scripted: ScriptedServer) -> None:
    site = sending(runtime, scripted, direction=Direction.FETCH)
    for name, content in FILES.items():
        (site.folder / name).write_bytes(content)
    job = site.run()
    assert (job.state, job.result["done"]) == (JobState.SUCCEEDED, len(FILES))
    assert site.there() == {}
    assert site.here() == {"new": sorted(FILES)}
    assert signed_in(scripted) == 4


def test_files_go_one_after_the_other_where_order_is_asked_for(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = sending(runtime, scripted, options=ChannelOptions(ordered=True))
    for name in FILES:
        site.put(name)
    site.run()
    renamed = [line for line in scripted.script.commands if line.startswith("RNTO file")]
    assert renamed == [f"RNTO {name}" for name in sorted(FILES)]
    assert signed_in(scripted) == 1


def test_a_server_that_refuses_further_connections_gets_the_files_by_one(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    scripted.script.armed_by = "PASS"
    scripted.script.always["USER"] = "530 Only one at a time."
    site = sending(runtime, scripted)
    for name, content in FILES.items():
        site.put(name, content)
    job = site.run()
    assert (job.state, site.there()) == (JobState.SUCCEEDED, FILES)
    assert "one connection less" in site.log()


@pytest.mark.parametrize("command", ["STOR", "226", "RNTO", "EPSV"])
def test_a_broken_line_among_several_loses_nothing(
    runtime: Runtime, scripted: ScriptedServer, command: str
) -> None:
    scripted.script.armed_by = "RNTO write"
    scripted.script.once[command] = "drop after"
    site = sending(runtime, scripted)
    for name, content in FILES.items():
        site.put(name, content)
    job = site.run()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert site.there() == FILES
    assert set(site.states().values()) == {"delivered"}


def test_what_ends_one_connection_ends_the_run(runtime: Runtime, scripted: ScriptedServer) -> None:
    scripted.script.armed_by = "RNTO write"
    scripted.script.once["STOR .portal"] = "552 Full."
    site = sending(runtime, scripted)
    for name in FILES:
        site.put(name)
    job = site.run()
    assert (job.state, job.result["class"]) == (JobState.FAILED, "space")
    assert "write" not in site.there()
    assert site.run().state == JobState.SUCCEEDED
    assert sorted(site.there()) == sorted(FILES)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("direction", list(Direction))
def test_every_server_can_make_the_connections_for_data(
    runtime: Runtime, real: RealServer, direction: Direction
) -> None:
    site = site_at(runtime, real, direction=direction, active=True)
    for name in ("a", "b"):
        site.put(name, bytes(10**6))
    (real.folder / "c").write_bytes(bytes(10**6))
    (real.folder / "c").chmod(0o666)
    job = site.run()
    there = site.there()
    for path in real.folder.iterdir():
        path.unlink()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert sorted(there) == (["a", "b", "c"] if direction is Direction.SEND else [])


def test_active_neither_asks_for_a_port_of_the_server(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = sending(runtime, scripted, active=True)
    site.put("a")
    assert site.run().state == JobState.SUCCEEDED
    commands = {line.split()[0] for line in scripted.script.commands}
    assert "EPRT" in commands
    assert not {"EPSV", "PASV"} & commands


def test_active_by_ipv6(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> None:
    with scripted_ftp(tmp_path_factory.mktemp("six") / "ftp", host="::1") as server:
        site = sending(runtime, server, active=True)
        site.put("a")
        assert site.run().state == JobState.SUCCEEDED
        assert site.there() == {"a": b"content"}


def test_active_with_a_server_that_does_not_know_the_newer_command(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    scripted.script.always["EPRT"] = "502 Unknown."
    site = sending(runtime, scripted, active=True)
    site.put("a")
    site.run()
    assert site.there() == {"a": b"content"}
    assert [line for line in scripted.script.commands if line.startswith("EPRT")][1:] == []
