"""A password is nowhere but at the server: no log, no row, no job, no traceback, no process."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from portal.delivery.orders import try_endpoint
from portal.delivery.states import Direction
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import PASSWORD, ScriptedServer
from tests.delivery.site import Site

ENCODED = PASSWORD.replace("/", "%2F")


def rows(runtime: Runtime) -> str:
    """All that the database has."""
    known = MetaData()
    known.reflect(runtime.engine)
    with runtime.engine.connect() as connection:
        return "\n".join(
            repr(row) for table in known.sorted_tables for row in connection.execute(select(table))
        )


def files(folder: Path) -> str:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_bytes().decode(errors="replace") for path in found)


def processes() -> str:
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(path.read_bytes().decode(errors="replace"))
        except OSError:  # it ended meanwhile
            continue
    return "\n".join(texts)


@pytest.mark.parametrize("fault", ["", "530 No.", "drop"])
@pytest.mark.parametrize("direction", list(Direction))
def test_a_password_shows_nowhere(
    runtime: Runtime,
    scripted: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    direction: Direction,
    fault: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    site = Site(runtime, url=scripted.url(), folder=scripted.folder, direction=direction)
    site.put("a")
    if fault:
        scripted.script.always["PASS"] = fault
    job, tested = site.run(), site.run(try_endpoint, "partner")
    out = capfd.readouterr()
    told = [caplog.text, out.out, out.err, rows(runtime), files(runtime.settings.data)]
    told += [processes(), repr(site.endpoint().__dict__), repr(job.__dict__), repr(tested.result)]
    redis = runtime.redis
    told += [repr(redis.dump(key)) for key in redis.scan_iter()]
    assert f"PASS {PASSWORD}" in scripted.script.commands
    for text in told:
        assert PASSWORD not in text
        assert ENCODED not in text
