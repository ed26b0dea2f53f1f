"""Nobody learns from the time an answer takes who has an account."""

import statistics
import time
from collections.abc import Callable

import pytest

from portal.accounts.models import User
from portal.accounts.sign_in import Visitor, WrongPasswordError, sign_in
from portal.runtime import Runtime
from portal.settings import Settings

ROUNDS = 12


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(sign_in_failures=1000)


def seconds(runtime: Runtime, name: str) -> float:
    """Processor time, so that other tests on the same machine do not count."""
    began = time.thread_time()
    visitor = Visitor(address="192.0.2.1", browser="Otter")
    with pytest.raises(WrongPasswordError):
        sign_in(runtime, name=name, password="eight brown otters", visitor=visitor)
    return time.thread_time() - began


def test_known_and_unknown_names_cost_the_same(
    runtime: Runtime, make_user: Callable[..., User]
) -> None:
    make_user("anna")
    seconds(runtime, "anna")
    pairs = [(seconds(runtime, "anna"), seconds(runtime, "nemo")) for _ in range(ROUNDS)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert 0.6 < known / unknown < 1.6
