"""What breaks, refuses or lies on the way is called by its name."""

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from portal.delivery.addresses import parse_address
from portal.delivery.dialling import open_remote
from portal.delivery.faults import DeliveryError, HostKeyError, LostError, Reason
from portal.delivery.host_keys import certificate_text, fingerprint
from portal.delivery.remote import Remote, RenameRefusedError, Server
from tests.certificates import make_certificate
from tests.delivery.conftest import scripted_server
from tests.delivery.scripted_ftp import ScriptedServer, scripted_ftp


def store(remote: Remote, name: str = "a", content: bytes = b"content") -> None:
    remote.store(name, BytesIO(content).read, told=lambda _block: None)


def publish(remote: Remote) -> None:
    store(remote)
    remote.rename("a", "b")
    remote.find("b")


def refused(use: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        use()
    return caught.value


def test_a_wrong_password_is_a_matter_of_authentication(scripted: ScriptedServer) -> None:
    address = replace(parse_address(scripted.url()), password="wrong canary")
    fault = refused(lambda: open_remote(Server(address=address, timeout=5)))
    assert fault.reason == Reason.AUTHENTICATION
    assert "canary" not in str(fault)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("552 Exceeded storage allocation.", Reason.SPACE),
        ("452 Insufficient storage space.", Reason.SPACE),
        ("550 Disk full", Reason.SPACE),
        ("553 Could not create file.", Reason.PERMISSION),
        ("550 Permission denied.", Reason.PERMISSION),
        ("450 File busy.", Reason.PERMISSION),
        ("451 Local error.", Reason.NETWORK),
    ],
)
def test_a_refusal_has_a_class_and_the_server_s_words(
    scripted: ScriptedServer, reply: str, reason: Reason
) -> None:
    scripted.script.once["STOR"] = reply
    with open_remote(scripted_server(scripted)) as remote:
        fault = refused(lambda: store(remote))
        store(remote)
    assert fault.reason == reason
    assert reply in str(fault)


@pytest.mark.parametrize("command", ["STOR", "226", "RNTO", "SIZE"])
def test_a_broken_line_leaves_open_what_was_done(scripted: ScriptedServer, command: str) -> None:
    scripted.script.once[command] = "drop"
    with open_remote(scripted_server(scripted)) as remote, pytest.raises(LostError):
        publish(remote)


def test_a_line_that_breaks_in_mid_file_is_a_broken_line(scripted: ScriptedServer) -> None:
    scripted.script.drop_at_byte = 100_000
    with open_remote(scripted_server(scripted)) as remote, pytest.raises(LostError):
        store(remote, content=b"x" * 5_000_000)


@pytest.mark.parametrize("command", ["STOR", "RNTO", "EPSV", "SIZE"])
def test_a_server_that_stops_answering_is_given_up(scripted: ScriptedServer, command: str) -> None:
    scripted.script.once[command] = "stall"
    with (
        open_remote(scripted_server(scripted, timeout=0.3)) as remote,
        pytest.raises(LostError, match="stopped answering"),
    ):
        publish(remote)


def test_a_server_that_says_goodbye_has_broken_the_line(scripted: ScriptedServer) -> None:
    scripted.script.once["STOR"] = "421 Too many connections."
    with open_remote(scripted_server(scripted)) as remote, pytest.raises(LostError):
        store(remote)


def test_a_refused_rename_is_told_apart(scripted: ScriptedServer) -> None:
    scripted.script.refuse_rename_over = True
    with open_remote(scripted_server(scripted)) as remote:
        store(remote, "old")
        store(remote, "new")
        with pytest.raises(RenameRefusedError):
            remote.rename("new", "old")
        remote.rename("new", "other")
    assert scripted.names() == ["old", "other"]


def test_the_host_that_pasv_names_is_not_connected_to(tmp_path: Path) -> None:
    with scripted_ftp(tmp_path / "ftp", masquerade_address="192.0.2.1") as liar:
        liar.script.always["EPSV"] = "502 Unknown."
        with open_remote(scripted_server(liar)) as remote:
            store(remote)
            store(remote, "b")
    assert liar.names() == ["a", "b"]
    assert liar.script.commands.count("EPSV") == 1


def test_epsv_is_asked_first(scripted: ScriptedServer) -> None:
    with open_remote(scripted_server(scripted)) as remote:
        store(remote)
    assert "PASV" not in scripted.script.commands


def test_servers_of_ipv6_are_reached(tmp_path: Path) -> None:
    with scripted_ftp(tmp_path / "ftp", host="::1") as server:
        with open_remote(scripted_server(server)) as remote:
            store(remote)
        assert server.names() == ["a"]


def test_a_name_with_a_line_break_never_reaches_the_server(scripted: ScriptedServer) -> None:
    with open_remote(scripted_server(scripted)) as remote:
        store(remote, "kept")
        for use in (remote.find, remote.remove, lambda name: store(remote, name)):
            with pytest.raises(DeliveryError):
                use("a\r\nDELE kept")
    assert scripted.names() == ["kept"]


def test_an_untrusted_certificate_is_refused_before_the_password_is_sent(
    scripted_tls: tuple[ScriptedServer, str],
) -> None:
    server, _ = scripted_tls
    address = parse_address(server.url("ftpes"))
    fault = refused(lambda: open_remote(Server(address=address, timeout=5)))
    assert fault.reason == Reason.AUTHENTICATION
    assert "certificate is not trusted" in str(fault)
    assert not [line for line in server.script.commands if line.startswith(("USER", "PASS"))]


def test_a_certificate_of_another_host_is_refused(
    scripted_tls: tuple[ScriptedServer, str],
) -> None:
    server, certificate = scripted_tls
    unnamed = "127.1"  # 127.0.0.1 by a name that the certificate does not have
    address = replace(parse_address(server.url("ftpes")), host=unnamed)
    fault = refused(lambda: open_remote(Server(address=address, tls_ca=certificate, timeout=5)))
    assert "certificate is not trusted" in str(fault)


def test_a_trusted_certificate_is_accepted(scripted_tls: tuple[ScriptedServer, str]) -> None:
    server, certificate = scripted_tls
    address = parse_address(server.url("ftpes"))
    with open_remote(Server(address=address, tls_ca=certificate, timeout=5)) as remote:
        store(remote)
        assert remote.facts()["protection"].startswith("TLSv1.")


def test_verifying_can_be_switched_off(scripted_tls: tuple[ScriptedServer, str]) -> None:
    server, _ = scripted_tls
    address = parse_address(server.url("ftpes"))
    with open_remote(Server(address=address, tls_verify=False, timeout=5)) as remote:
        store(remote)


def test_a_dead_server_is_said(scripted: ScriptedServer, tmp_path: Path) -> None:
    with scripted_ftp(tmp_path / "other") as gone:
        server = scripted_server(gone)
    fault = refused(lambda: open_remote(server))
    assert fault.reason == Reason.NETWORK


def test_a_certificate_that_is_not_trusted_is_shown_to_be_compared(
    scripted_tls: tuple[ScriptedServer, str],
) -> None:
    server, certificate = scripted_tls
    fault = refused(lambda: open_remote(tls_server(server)))
    assert isinstance(fault, HostKeyError)
    der = ssl.PEM_cert_to_DER_cert(certificate)
    assert fingerprint(fault.shown) in str(fault)
    assert fingerprint(fault.shown).endswith(hashlib.sha256(der).digest().hex(":").upper())


def test_a_certificate_that_was_approved_is_trusted_whoever_issued_it(
    scripted_tls: tuple[ScriptedServer, str],
) -> None:
    server, certificate = scripted_tls
    approved = certificate_text(ssl.PEM_cert_to_DER_cert(certificate))
    with open_remote(tls_server(server, host_key=approved)) as remote:
        store(remote)
    assert server.names() == ["a"]


def test_another_certificate_than_the_approved_one_is_refused_before_the_password_is_sent(
    scripted_tls: tuple[ScriptedServer, str], tmp_path: Path
) -> None:
    server, certificate = scripted_tls
    other = make_certificate(tmp_path / "other.pem")
    approved = certificate_text(ssl.PEM_cert_to_DER_cert(other))
    trusting = tls_server(server, host_key=approved, tls_ca=certificate)
    fault = refused(lambda: open_remote(trusting))
    assert "has changed" in str(fault)
    assert not [line for line in server.script.commands if line.startswith(("USER", "PASS"))]


def tls_server(server: ScriptedServer, **values: str) -> Server:
    address = parse_address(server.url("ftpes"))
    return replace(Server(address=address, timeout=5), **values)
