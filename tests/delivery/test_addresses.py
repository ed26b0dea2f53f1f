"""Addresses of endpoints: what is understood, what is refused, and that no password is told."""

import pytest

from portal.delivery.addresses import Transport, parse_address
from portal.errors import InvalidError


@pytest.mark.parametrize(
    ("url", "transport", "port"),
    [
        ("ftp://example.org", Transport.FTP, 21),
        ("ftpes://example.org", Transport.FTPES, 21),
        ("ftps://example.org", Transport.FTPS, 990),
        ("SFTP://example.org", Transport.SFTP, 22),
        ("ftp://example.org:2121", Transport.FTP, 2121),
    ],
)
def test_the_scheme_says_how_and_where(url: str, transport: Transport, port: int) -> None:
    address = parse_address(url)
    assert (address.transport, address.host, address.port) == (transport, "example.org", port)


def test_user_password_and_folder_may_have_any_characters() -> None:
    address = parse_address("ftp://a%40b:p%2Fw%3A@example.org/out%20box/d%C3%A9p%C3%B4t/")
    assert (address.user, address.password, address.folder) == ("a@b", "p/w:", "/out box/dépôt")


def test_an_address_of_ipv6_is_in_brackets() -> None:
    address = parse_address("sftp://u@[::1]:2222/x")
    assert (address.host, address.port) == ("::1", 2222)
    assert address.url == "sftp://u@[::1]:2222/x"


def test_the_password_is_in_no_text() -> None:
    address = parse_address("ftp://u:canary@example.org/x")
    assert "canary" not in f"{address!r} {address.url}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "http://example.org",
        "ftp://",
        "ftp://:21",
        "ftp://example.org:port",
        "ftp://example.org:0",
        "ftp://example.org/a?b",
        "ftp://example.org/../x",
        "ftp://u%0d%0aDELE:p@example.org",
        "ftp://u@example.org/x%0ay",
        "ftp://u:canary@exa\nmple.org",
    ],
)
def test_what_is_no_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_address(url)
    assert "canary" not in str(caught.value)
