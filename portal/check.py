"""`portal check`: what is missing or unsafe here, in words. It changes nothing."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from portal.assembly import PLUGINS
from portal.checks.configuration import check_configuration
from portal.checks.database import check_database
from portal.checks.datacenter import check_datacenter
from portal.checks.delivery import check_delivery
from portal.checks.finding import Finding, Level, error
from portal.checks.machine import check_machine
from portal.checks.plugins import check_plugins
from portal.checks.redis import check_redis
from portal.checks.tables import check_tables
from portal.checks.work import check_work
from portal.errors import PortalError
from portal.redis_server import find_binary
from portal.runtime import Clock, Runtime, utc_now
from portal.settings import Settings

_ORDER = (Level.ERROR, Level.NOT_RUNNING, Level.ADVICE)


def run(
    settings: Settings, *, clock: Clock = utc_now, find_redis: Callable[[], Path] = find_binary
) -> list[Finding]:
    """Look at everything; the findings, the gravest first."""
    findings = _findings(settings, clock, find_redis)
    return sorted(findings, key=lambda finding: _ORDER.index(finding.level))


def fails(findings: Iterable[Finding], *, running: bool) -> bool:
    """Say whether the check has failed; `running` if a part that does not run counts, too."""
    grave = {Level.ERROR, Level.NOT_RUNNING} if running else {Level.ERROR}
    return any(finding.level in grave for finding in findings)


def _findings(
    settings: Settings, clock: Clock, find_redis: Callable[[], Path]
) -> Iterator[Finding]:
    yield from check_configuration(settings)
    yield from check_machine(settings, find_redis=find_redis)
    yield from check_plugins(PLUGINS)
    try:
        runtime = Runtime.open(settings, clock=clock)
    except PortalError as refused:  # the place of Redis's socket is somebody else's
        yield error("Portal's own Redis cannot be reached.", str(refused))
        return
    try:
        yield from check_redis(settings)
        of_database = list(check_database(runtime))
        yield from of_database
        if not of_database:
            yield from check_work(runtime)
            yield from check_datacenter(runtime)
            yield from check_delivery(runtime)
        yield from check_tables(runtime)
    finally:
        runtime.close()
