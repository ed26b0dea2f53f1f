"""The same on the servers that partners run, by several connections, judged by what lies there."""

import os
from pathlib import Path

import pytest

from portal.delivery.states import Direction
from portal.runtime import Runtime
from tests.delivery.conftest import real as real
from tests.delivery.real_servers import RealServer
from tests.delivery.site import Site, site_at
from tests.drills.test_delivery import Performer, empty, killed_and_ended, lines_of
from tests.drills.test_delivery import performer as performer

KILLS = max(1, int(os.environ.get("DRILL_KILLS", "120")) // 60)
NAMES = tuple(f"file-{number}" for number in range(6))
LARGE = 1_500_000  # long enough to be gone on with


def contents(line: int) -> dict[str, bytes]:
    small = {name: f"{name} {line} ".encode() * 300 for name in NAMES}
    return small | {"large": f"large {line} ".encode() * (LARGE // 10)}


def sampled(lines: int, seed: int) -> list[int]:
    step = max(1, lines // KILLS)
    return list(range(1 + seed % step, lines, step))


def at(runtime: Runtime, real: RealServer, direction: Direction) -> Site:
    return site_at(runtime, real, direction=direction, connections=3)


def lay(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o666)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sending_killed_anywhere_delivers_each_file_once(
    runtime: Runtime, real: RealServer, performer: Performer
) -> None:
    site = at(runtime, real, Direction.SEND)
    for name, content in contents(0).items():
        site.put(name, content)
    lines = lines_of(site, performer)
    for line in sampled(lines, real.port):
        empty(site)
        for name, content in contents(line).items():
            site.put(name, content)
        killed_and_ended(site, performer, line)
        assert site.there() == contents(line), line
        assert site.here() == {"cur": sorted(contents(line))}, line
        assert site.states() == dict.fromkeys(contents(line), "delivered"), line
        assert {row.job_id for row in site.rows()[-7:]} == {site.rows()[-1].job_id}, line
    empty(site)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_fetching_killed_anywhere_receives_each_file_once(
    runtime: Runtime, real: RealServer, performer: Performer
) -> None:
    site = at(runtime, real, Direction.FETCH)
    lay(site.folder, contents(0))
    lines = lines_of(site, performer)
    for line in sampled(lines, real.port):
        empty(site)
        lay(site.folder, contents(line))
        killed_and_ended(site, performer, line)
        new = site.spool.root / "new"
        assert site.there() == {}, line
        assert {path.name: path.read_bytes() for path in new.iterdir()} == contents(line), line
        assert site.states() == dict.fromkeys(contents(line), "received"), line
    empty(site)
