"""Files from https addresses: only from hosts that are allowed, never out of private networks."""

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from portal.accounts.permissions import Role
from portal.addresses import ip_of
from portal.assembly import processors_for
from portal.errors import ForbiddenError, InvalidError
from portal.imports.addresses import is_public
from portal.imports.fetching import OPEN_NET, Trust
from portal.imports.orders import ImportOrder
from portal.imports.scheduled import schedule_import
from portal.imports.tasks import kinds_for
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job
from portal.jobs.runner import perform
from portal.rows.copies import sources_folder
from portal.settings import Settings, SettingsError
from tests.imports.scenes import Desk, failed, succeeded
from tests.imports.tls_server import FileServer, leading_to, running_server, sending

GOOD = b"code,height\na,1\nb,2\n"
DONE = "Successfully imported 2 row(s)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running_server(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def server(running: FileServer) -> FileServer:
    running.answers.clear()
    running.hosts.clear()
    running.names.clear()
    running.answers["/trunk.csv"] = sending(GOOD)
    return running


@pytest.fixture
def settings(
    make_settings: Callable[..., Settings], tables_url: str, server: FileServer
) -> Settings:
    return make_settings(
        tables_url=tables_url,
        disk_reserve_mb=0,
        upload_limit_mb=1,
        imports_hosts=(f"localhost:{server.port}", f"127.0.0.1:{server.port}", "data.example.org"),
    )


def fetch(desk: Desk, address: str, trust: Trust, **more: object) -> Job:
    """Import the file at an address, as a worker would that trusts so."""
    asked = desk.ask_for(ImportOrder.at(address, table="trunk", **more))
    kinds = Kinds(kinds_for(processors_for, trust=trust))
    perform(asked.job.id, engine=JobEngine(runtime=desk.runtime, kinds=kinds))
    return desk.job(asked.job.id)


def left_behind(desk: Desk) -> list[Path]:
    folder = sources_folder(desk.runtime.settings)
    return list(folder.iterdir()) if folder.is_dir() else []


def test_a_file_is_fetched_and_imported(desk: Desk, server: FileServer) -> None:
    job = fetch(desk, server.url("/trunk.csv"), server.trust())
    assert succeeded(job) == DONE
    assert desk.batch(job).order.file_name == "trunk.csv"
    assert desk.rows("SELECT code, height FROM trunk ORDER BY code") == [("a", 1), ("b", 2)]


def test_the_server_is_told_the_name_that_was_asked_for(desk: Desk, server: FileServer) -> None:
    fetch(desk, server.url("/trunk.csv"), server.trust())
    assert server.hosts == [f"localhost:{server.port}"]
    assert server.names == ["localhost"]


def test_a_name_that_leads_to_this_machine_is_refused(desk: Desk, server: FileServer) -> None:
    def context() -> ssl.SSLContext:
        return ssl.create_default_context(cadata=server.certificate)

    for address in (server.url("/trunk.csv"), f"https://127.0.0.1:{server.port}/trunk.csv"):
        text = failed(fetch(desk, address, Trust(context=context)))
        assert text.endswith("leads into a private network; files are not fetched there.")
    assert server.hosts == []


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.0.192",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_of_the_open_net_are_told(address: str) -> None:
    assert not is_public(ip_of(address))
    assert not OPEN_NET.may_connect(ip_of(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
def test_addresses_of_the_open_net_are_told(address: str) -> None:
    assert is_public(ip_of(address))


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        ("https://other.example.org/a.csv", ForbiddenError, "PORTAL_IMPORTS_HOSTS"),
        ("https://data.example.org:444/a.csv", ForbiddenError, "PORTAL_IMPORTS_HOSTS"),
        ("https://data.example.org.evil.example/a.csv", ForbiddenError, "PORTAL_IMPORTS_HOSTS"),
        ("https://data.example.org@evil.example/a.csv", InvalidError, "user and password"),
        ("https://u:p@data.example.org/a.csv", InvalidError, "user and password"),
        ("http://data.example.org/a.csv", InvalidError, "https://"),
        ("ftp://data.example.org/a.csv", InvalidError, "https://"),
        ("file:///etc/passwd", InvalidError, "https://"),
        ("https:///a.csv", InvalidError, "https://"),
        ("https://data.example.org:x/a.csv", InvalidError, "no address"),
        ("https://data.example.org/a b.csv", InvalidError, "blanks"),
        ("https://data.example.org/a.csv\r\nHost: x", InvalidError, "blanks"),
    ],
)
def test_addresses_that_are_not_allowed_are_refused_at_once(
    desk: Desk, address: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        desk.ask_for(ImportOrder.at(address, table="trunk"))


def test_a_redirect_is_followed(desk: Desk, server: FileServer) -> None:
    server.answers["/latest.csv"] = leading_to("/trunk.csv")
    job = fetch(desk, server.url("/latest.csv"), server.trust())
    assert succeeded(job) == DONE
    assert desk.batch(job).order.file_name == "latest.csv"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("https://evil.example/a.csv", "evil.example is no host from which files are fetched"),
        ("http://data.example.org/a.csv", "begin with https:// only"),
        ("https://u:p@data.example.org/a.csv", "user and password"),
    ],
)
def test_a_redirect_is_judged_like_the_first_address(
    desk: Desk, server: FileServer, target: str, said: str
) -> None:
    server.answers["/latest.csv"] = leading_to(target)
    assert said in failed(fetch(desk, server.url("/latest.csv"), server.trust()))


def test_redirects_come_to_an_end(desk: Desk, server: FileServer) -> None:
    server.answers["/turn.csv"] = leading_to("/turn.csv")
    text = failed(fetch(desk, server.url("/turn.csv"), server.trust()))
    assert text == "The address leads on more than 5 times; give the last one."
    assert len(server.hosts) == 6


def test_a_certificate_that_nobody_vouches_for_is_refused(desk: Desk, server: FileServer) -> None:
    trust = Trust(may_connect=lambda ip: ip.is_loopback)
    text = failed(fetch(desk, server.url("/trunk.csv"), trust))
    assert text.startswith("The certificate of localhost is not to be trusted: ")


def test_a_file_that_is_not_there_is_told_as_missing(desk: Desk, server: FileServer) -> None:
    address = server.url("/absent.csv")
    text = failed(fetch(desk, address, server.trust()))
    assert text == f"The expected file is not there: {address}"


@pytest.mark.parametrize(
    ("content", "headers", "said"),
    [
        (GOOD, {"Content-Length": "500"}, "The server sent 20 of 500 bytes; try again later."),
        (GOOD, {"Content-Encoding": "gzip"}, "The server sent the file packed"),
        (b"x" * 1_500_000, {}, "The file is larger than 1 MB (PORTAL_UPLOAD_LIMIT_MB)."),
    ],
)
def test_what_is_not_the_whole_file_is_refused(
    desk: Desk, server: FileServer, content: bytes, headers: dict[str, str], said: str
) -> None:
    closing = {"Connection": "close"} | headers
    server.answers["/trunk.csv"] = sending(content, closing)
    job = fetch(desk, server.url("/trunk.csv"), server.trust())
    assert failed(job).startswith(said)
    assert left_behind(desk) == []


def test_a_file_whose_length_nobody_says_is_refused(desk: Desk, server: FileServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(GOOD)

    server.answers["/trunk.csv"] = answer
    text = failed(fetch(desk, server.url("/trunk.csv"), server.trust()))
    assert text.startswith("The server does not say how long the file is")


def test_a_file_in_chunks_is_fetched(desk: Desk, server: FileServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD))

    server.answers["/trunk.csv"] = answer
    assert succeeded(fetch(desk, server.url("/trunk.csv"), server.trust())) == DONE


def test_chunks_that_break_off_are_refused(desk: Desk, server: FileServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(GOOD), GOOD))

    server.answers["/trunk.csv"] = answer
    text = failed(fetch(desk, server.url("/trunk.csv"), server.trust()))
    assert text.startswith("localhost broke off")


def test_a_silent_server_is_not_waited_for(desk: Desk, server: FileServer) -> None:
    over = threading.Event()
    server.answers["/trunk.csv"] = lambda _handler: over.wait(30) and None
    try:
        text = failed(fetch(desk, server.url("/trunk.csv"), server.trust(silence=0.2)))
    finally:
        over.set()
    assert text == "localhost was silent for 0.2 seconds; try again later."


def test_a_file_that_drips_is_cut_off(desk: Desk, server: FileServer) -> None:
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not over.wait(0.02):
            handler.wfile.write(b"x")

    server.answers["/trunk.csv"] = answer
    try:
        text = failed(fetch(desk, server.url("/trunk.csv"), server.trust(whole=0.5)))
    finally:
        over.set()
    assert text == "The file did not come within 0.5 seconds."


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/export?id=1", {"Content-Disposition": 'attachment; filename="new.csv"'}, "new.csv"),
        ("/export?id=1", {"Content-Type": "text/csv; charset=utf-8"}, "export.csv"),
        ("/a%20b.csv?x=.ods", {"Content-Disposition": 'attachment; filename="c.csv"'}, "a b.csv"),
        ("/", {"Content-Disposition": 'attachment; filename="../../etc/x.csv"'}, "x.csv"),
    ],
)
def test_the_file_is_called_as_its_address_or_its_server_says(
    desk: Desk, server: FileServer, path: str, headers: dict[str, str], name: str
) -> None:
    server.answers[path] = sending(GOOD, headers)
    job = fetch(desk, server.url(path), server.trust())
    assert succeeded(job) == DONE
    assert desk.batch(job).order.file_name == name


def test_an_address_can_be_put_on_a_schedule(desk: Desk, server: FileServer) -> None:
    order = ImportOrder.at(server.url("/trunk.csv"), table="trunk")
    desk = desk.person("clara", Role.ADMIN)
    with desk.runtime.sessions.begin() as session:
        schedule = schedule_import(session, order=order, cron="0 6 * * *", wish=desk.wish())
        assert server.url("/trunk.csv") in schedule.title


@pytest.mark.parametrize("host", ["https://data.example.org", "data.example.org/x", "*", "a b"])
def test_settings_that_name_no_host_are_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="PORTAL_IMPORTS_HOSTS must name hosts"):
        Settings.from_environment({"PORTAL_IMPORTS_HOSTS": host})
