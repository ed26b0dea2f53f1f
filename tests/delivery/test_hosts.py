"""Deliveries never go to link-local or metadata addresses; a list names the only hosts."""

import socket

import pytest

from portal.addresses import ip_of
from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.hosts import dial, why_refused


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_these_addresses_are_never_connected_to(ip: str) -> None:
    assert why_refused(ip_of(ip), host="example.org", allowed=()) is not None
    assert why_refused(ip_of(ip), host="example.org", allowed=("example.org",)) is not None


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "93.184.216.34"])
def test_all_others_are_fine_without_a_list(ip: str) -> None:
    assert why_refused(ip_of(ip), host="example.org", allowed=()) is None


@pytest.mark.parametrize(
    ("rule", "fine"),
    [
        ("ftp.example.org", True),
        ("FTP.example.org.", True),
        ("10.0.0.0/8", True),
        ("10.1.2.3", True),
        ("example.org", False),
        ("10.2.0.0/16", False),
    ],
)
def test_a_list_names_hosts_or_networks(rule: str, fine: bool) -> None:
    said = why_refused(ip_of("10.1.2.3"), host="ftp.example.org", allowed=(rule,))
    assert (said is None) == fine


def test_a_refused_address_gets_no_packet() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        with pytest.raises(DeliveryError, match="PORTAL_DELIVERY_HOSTS") as caught:
            dial("localhost", listener.getsockname()[1], allowed=("example.org",), timeout=1)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert caught.value.reason == Reason.PERMISSION


def test_where_nobody_listens_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DeliveryError, match=f"port {port} cannot be reached") as caught:
        dial("127.0.0.1", port, allowed=(), timeout=1)
    assert caught.value.reason == Reason.NETWORK


def test_a_name_that_nobody_knows_is_said() -> None:
    with pytest.raises(DeliveryError, match="No server is known by the name"):
        dial("no-such-host.invalid", 21, allowed=(), timeout=1)
