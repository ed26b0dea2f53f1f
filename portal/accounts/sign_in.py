"""Signing in and changing one's own password: throttled, in the same time for everybody.

These functions commit by themselves: an attempt counts even when it fails, and no lock is held
while Argon2 works.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import sessions, throttle
from portal.accounts.models import User
from portal.accounts.names import name_key
from portal.accounts.password_rules import LONGEST, check_new_password
from portal.accounts.passwords import hash_password, needs_rehash, verify_password
from portal.accounts.permissions import Actor
from portal.accounts.sessions import SignedIn
from portal.accounts.throttle import AttemptKeys, attempt_keys
from portal.audit.service import record
from portal.errors import InvalidError, PortalError
from portal.runtime import Runtime

ANONYMOUS = Actor(user_id=None, name="anonymous", enabled=False)


class WrongPasswordError(PortalError):
    """Name and password do not belong together; the message never says which is wrong."""


class TooManyAttemptsError(PortalError):
    """Nobody may try for this account, or from this address, before `until`."""

    def __init__(self, until: datetime, *, now: datetime) -> None:
        self.seconds = max(1, int((until - now).total_seconds()) + 1)
        minutes = -(-self.seconds // 60)
        super().__init__(
            "That was tried too often. Wait "
            f"{minutes} {'minute' if minutes == 1 else 'minutes'} and try again."
        )


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """From where and with what somebody comes; `token` is the session that the browser has."""

    address: str
    browser: str
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Account:
    user_id: int
    password_hash: str
    enabled: bool


def sign_in(runtime: Runtime, *, name: str, password: str, visitor: Visitor) -> str:
    """Begin a session and return its token; the browser's earlier session is ended.

    Raises WrongPasswordError, equally for unknown and disabled users, and TooManyAttemptsError.
    """
    keys = attempt_keys(runtime.settings.key(), name=name, address=visitor.address)
    _count_attempt(runtime, keys)
    account = _find_account(runtime, name)
    if not _matches(account, password) or account is None or not account.enabled:
        _note_failure(runtime, account, visitor)
        raise WrongPasswordError("The name or the password is not right.")
    new_hash = hash_password(password) if needs_rehash(account.password_hash) else None
    with runtime.sessions.begin() as session:
        user = _still_the_same(session, account)
        user.password_hash = new_hash or account.password_hash
        user.signed_in_at = runtime.clock()
        throttle.forgive(session, keys)
        if visitor.token:
            sessions.end_token(session, visitor.token)
        _record(session, runtime, "session.start", account, actor_of_row(user), visitor)
        return _start(session, runtime, account.user_id, visitor)


def change_own_password(
    runtime: Runtime, who: SignedIn, *, current: str, new: str, visitor: Visitor
) -> str:
    """Replace the password, end every session and return the token of a new one.

    Raises InvalidError for a bad new password, WrongPasswordError, TooManyAttemptsError.
    """
    name = who.actor.name
    check_new_password(new, name=name)
    if new == current:
        raise InvalidError("The new password is the old one; choose another.")
    keys = attempt_keys(runtime.settings.key(), name=name, address=visitor.address)
    _count_attempt(runtime, keys)
    account = _find_account(runtime, name)
    if not _matches(account, current) or account is None or not account.enabled:
        _note_failure(runtime, account, visitor)
        raise WrongPasswordError("The current password is not right.")
    new_hash = hash_password(new)
    with runtime.sessions.begin() as session:
        user = _still_the_same(session, account)
        user.password_hash, user.must_change_password = new_hash, False
        throttle.forgive(session, keys)
        sessions.end_all(session, user_id=account.user_id)
        _record(session, runtime, "user.password", account, who.actor, visitor)
        return _start(session, runtime, account.user_id, visitor)


def sign_out(runtime: Runtime, who: SignedIn, *, visitor: Visitor) -> None:
    """End the session of this browser."""
    user_id = who.actor.user_id
    if user_id is None:
        return
    with runtime.sessions.begin() as session:
        sessions.end(session, who.token_hash, user_id=user_id)
        record(
            session,
            actor=who.actor,
            action="session.end",
            object_kind="user",
            object_id=str(user_id),
            now=runtime.clock(),
            address=visitor.address,
        )


def actor_of_row(user: User) -> Actor:
    """Who signs in, as far as the audit needs it."""
    return Actor(user_id=user.id, name=user.name, enabled=user.enabled)


def _count_attempt(runtime: Runtime, keys: AttemptKeys) -> None:
    now = runtime.clock()
    with runtime.sessions.begin() as session:
        until = throttle.count_attempt(session, keys, now=now, settings=runtime.settings)
    if until is not None:
        raise TooManyAttemptsError(until, now=now)


def _find_account(runtime: Runtime, name: str) -> _Account | None:
    with runtime.reads() as session:
        row = session.execute(
            select(User.id, User.password_hash, User.enabled).where(User.name_key == name_key(name))
        ).first()
    if row is None:
        return None
    return _Account(user_id=row.id, password_hash=row.password_hash, enabled=row.enabled)


def _matches(account: _Account | None, password: str) -> bool:
    """Compare in the same time whether there is an account or not."""
    return verify_password(account.password_hash if account else None, password[: LONGEST + 1])


def _still_the_same(session: Session, account: _Account) -> User:
    """The user's row, locked; whoever was disabled or changed meanwhile starts anew."""
    user = session.get(User, account.user_id, with_for_update=True)
    if user is None or not user.enabled or user.password_hash != account.password_hash:
        raise WrongPasswordError("The account was changed just now; try again.")
    return user


def _start(session: Session, runtime: Runtime, user_id: int, visitor: Visitor) -> str:
    return sessions.start(
        session,
        user_id=user_id,
        now=runtime.clock(),
        settings=runtime.settings,
        address=visitor.address,
        browser=visitor.browser,
    )


def _note_failure(runtime: Runtime, account: _Account | None, visitor: Visitor) -> None:
    """The typed name is not written down: people type passwords into the wrong field."""
    with runtime.sessions.begin() as session:
        _record(session, runtime, "session.refuse", account, ANONYMOUS, visitor)


def _record(
    session: Session,
    runtime: Runtime,
    action: str,
    account: _Account | None,
    actor: Actor,
    visitor: Visitor,
) -> None:
    detail: dict[str, Any] = {} if account else {"unknown": True}
    record(
        session,
        actor=actor,
        action=action,
        object_kind="user",
        object_id=str(account.user_id) if account else "",
        now=runtime.clock(),
        address=visitor.address,
        detail=detail,
    )
