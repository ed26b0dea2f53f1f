"""How often somebody may try."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from portal.accounts import throttle
from portal.accounts.models import SignInFailures, User
from portal.accounts.sign_in import TooManyAttemptsError, Visitor, WrongPasswordError, sign_in
from portal.runtime import Runtime
from portal.settings import Settings

MakeUser = Callable[..., User]
WRONG = "eight brown otters"


def attempt(runtime: Runtime, name: str, *, address: str = "192.0.2.1") -> type[Exception]:
    visitor = Visitor(address=address, browser="Otter")
    with pytest.raises((WrongPasswordError, TooManyAttemptsError)) as caught:
        sign_in(runtime, name=name, password=WRONG, visitor=visitor)
    return caught.type


def test_one_address_cannot_try_many_names(
    runtime: Runtime, settings: Settings, make_settings: Callable[..., Settings]
) -> None:
    limit = settings.sign_in_failures * throttle.ADDRESS_FACTOR
    for index in range(limit):
        assert attempt(runtime, f"name-{index}") is WrongPasswordError
    assert attempt(runtime, "one-more") is TooManyAttemptsError
    assert attempt(runtime, "one-more", address="198.51.100.7") is WrongPasswordError


def test_spelling_a_name_otherwise_does_not_start_anew(
    runtime: Runtime, settings: Settings
) -> None:
    for index in range(settings.sign_in_failures):
        attempt(runtime, "Anna" if index % 2 else "aNNA ", address=f"198.51.100.{index}")
    assert attempt(runtime, "anna") is TooManyAttemptsError


def test_many_at_once_get_no_more_tries_than_one_after_another(
    runtime: Runtime, settings: Settings, make_user: MakeUser
) -> None:
    make_user("anna")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: attempt(runtime, "anna"), range(25)))
    assert results.count(WrongPasswordError) == settings.sign_in_failures


def test_neither_name_nor_address_is_stored(runtime: Runtime) -> None:
    attempt(runtime, "anna-secret")
    with runtime.reads() as session:
        rows = str(session.execute(select(SignInFailures.__table__)).all())
    assert "anna" not in rows
    assert "192.0.2.1" not in rows


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("shell", "shell", True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str, same: bool) -> None:
    keys = [throttle.attempt_keys("k", name="a", address=address) for address in (one, other)]
    assert (keys[0].address == keys[1].address) == same
