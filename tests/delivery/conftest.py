"""Servers for deliveries: a scripted one per test, real ones per session."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from portal.delivery.addresses import parse_address
from portal.delivery.remote import Server
from tests.certificates import make_certificate
from tests.delivery.real_servers import (
    RealServer,
    running_pure_ftpd,
    running_sshd,
    running_vsftpd,
)
from tests.delivery.scripted_ftp import ScriptedServer, scripted_ftp

Runner = Callable[[], AbstractContextManager[RealServer]]
RUNNERS: dict[str, Runner] = {
    "vsftpd": running_vsftpd,
    "vsftpd with TLS": partial(running_vsftpd, tls=True),
    "vsftpd with implicit TLS": partial(running_vsftpd, tls=True, implicit=True),
    "pure-ftpd": running_pure_ftpd,
    "pure-ftpd with TLS": partial(running_pure_ftpd, tls=True),
    "OpenSSH": running_sshd,
}


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedServer]:
    with scripted_ftp(tmp_path / "ftp") as server:
        yield server


@pytest.fixture
def scripted_tls(tmp_path: Path) -> Iterator[tuple[ScriptedServer, str]]:
    """The same with TLS, and its certificate."""
    path = tmp_path / "server.pem"
    certificate = make_certificate(path)
    with scripted_ftp(tmp_path / "ftp", certificate=path) as server:
        yield server, certificate


@pytest.fixture(scope="session", params=list(RUNNERS))
def real(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """Every kind of server that Debian has, one after the other."""
    with RUNNERS[request.param]() as server:
        yield server


@pytest.fixture
def server(real: RealServer) -> Iterator[Server]:
    """How to connect to the real server; its folder is empty before and after."""
    yield real_server(real)
    for path in real.folder.iterdir():
        path.unlink()


def real_server(real: RealServer) -> Server:
    address = parse_address(real.url)
    if real.key:
        address = replace(address, password=real.key)
    return Server(address=address, tls_ca=real.certificate, host_key=real.host_key, timeout=10)


def scripted_server(scripted: ScriptedServer, **values: object) -> Server:
    address = parse_address(scripted.url())
    return replace(Server(address=address, timeout=5), **values)  # type: ignore[arg-type]
