"""People who sign in, a clock that can be moved, and browsers."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Role
from portal.runtime import Runtime
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser


class MovableClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def runtime(settings: Settings, clock: MovableClock) -> Iterator[Runtime]:
    opened = Runtime.open(settings, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def make_user(runtime: Runtime) -> Callable[..., User]:
    """`make_user(name, *roles, **only_what_matters)`; nothing has to be changed at sign-in."""

    def make(name: str = "anna", *roles: Role, **values: Any) -> User:
        defaults: dict[str, Any] = {"password": PASSWORD, "must_change_password": False}
        with runtime.sessions.begin() as session:
            return service.create_user(
                session,
                actor=SYSTEM,
                name=name,
                roles=roles,
                now=runtime.clock(),
                **(defaults | values),
            )

    return make


@pytest.fixture
def guest(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def admin(app: Flask, make_user: Callable[..., User]) -> Browser:
    """A browser in which an admin called `boss` is signed in."""
    make_user("boss", Role.ADMIN)
    signed_in = Browser(app)
    signed_in.sign_in("boss")
    return signed_in
