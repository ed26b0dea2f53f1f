"""SFTP: whose key nobody approved is not signed in to."""

from dataclasses import replace

import pytest

from portal.delivery.addresses import parse_address
from portal.delivery.dialling import open_remote
from portal.delivery.faults import DeliveryError, HostKeyError, Reason
from portal.delivery.host_keys import fingerprint
from portal.delivery.remote import Server
from tests.delivery.conftest import real_server
from tests.delivery.real_servers import running_sshd

OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIcktwVouh/X78MebY8+UBjgtc4vCDbnned1hERPNSCo"


def test_an_unknown_key_is_shown_and_not_signed_in_to() -> None:
    with running_sshd() as real:
        server = replace(real_server(real), host_key="")
        with pytest.raises(HostKeyError, match="approve") as caught:
            open_remote(server)
        assert caught.value.shown == real.host_key
        with open_remote(replace(server, host_key=caught.value.shown)) as remote:
            assert remote.files() == []


def test_a_changed_key_blocks() -> None:
    with running_sshd() as real:
        server = replace(real_server(real), host_key=OTHER)
        with pytest.raises(HostKeyError, match="has changed") as caught:
            open_remote(server)
    assert fingerprint(OTHER) in str(caught.value)


def test_a_wrong_key_of_the_user_is_a_matter_of_authentication() -> None:
    with running_sshd() as real, running_sshd() as other:
        address = replace(parse_address(real.url), password=other.key)
        with pytest.raises(DeliveryError) as caught:
            open_remote(Server(address=address, host_key=real.host_key, timeout=5))
    assert caught.value.reason == Reason.AUTHENTICATION


def test_a_wrong_password_is_a_matter_of_authentication() -> None:
    with running_sshd() as real:
        address = replace(parse_address(real.url), password="canary")
        with pytest.raises(DeliveryError) as caught:
            open_remote(Server(address=address, host_key=real.host_key, timeout=5))
    assert caught.value.reason == Reason.AUTHENTICATION
    assert "canary" not in str(caught.value)


def test_a_key_that_cannot_be_read_is_said() -> None:
    with running_sshd() as real:
        address = replace(parse_address(real.url), password="-----BEGIN canary")
        with pytest.raises(DeliveryError, match="private key cannot be read") as caught:
            open_remote(Server(address=address, host_key=real.host_key, timeout=5))
    assert "canary" not in str(caught.value)
