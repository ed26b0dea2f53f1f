"""Signed-in browsers: rows that begin at sign-in, are looked up by every request, and can be ended.

The token stands only in the browser's signed cookie; the row has its SHA-256.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast

from sqlalchemy import (
    Engine,
    String,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session

from portal.accounts.models import SignInSession, User, UserRole
from portal.accounts.permissions import Actor, Role
from portal.db import UtcDateTime, changed
from portal.lookups import LookUp
from portal.settings import Settings

SEEN_EVERY = timedelta(minutes=1)
_BROWSER_LENGTH = 256


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """Who is signed in, in the form that Flask-Login asks for; made anew for each request."""

    actor: Actor
    token: str
    token_hash: str
    must_change_password: bool
    seen_long_ago: bool
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What the cookie carries: the token, Flask-Login's alternative to an id."""
        return self.token


def start(
    session: Session,
    *,
    user_id: int,
    now: datetime,
    settings: Settings,
    address: str,
    browser: str,
) -> str:
    """Begin a session of the user and return its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_hash=hash_token(token),
            user_id=user_id,
            created_at=now,
            seen_at=now,
            ends_at=now + timedelta(hours=settings.session_absolute_hours),
            address=address[:64],
            browser=browser[:_BROWSER_LENGTH],
        )
    )
    session.flush()
    return token


def open_look_up(engine: Engine) -> LookUp:
    """What `find_signed_in` asks; one for a process."""
    return LookUp(engine, _LOOK_UP)


def find_signed_in(
    look_up: LookUp, token: str, *, now: datetime, settings: Settings
) -> SignedIn | None:
    """Who holds `token` now: one statement; None where it ended, idled or the user is disabled."""
    token_hash = hash_token(token)
    row = look_up.first(
        token_hash=token_hash,
        now=now,
        idle=_idle_since(now, settings),
        long_ago=now - SEEN_EVERY,
    )
    if row is None:
        return None
    user_id, name, display_name, must_change_password, seen_long_ago, roles = row
    return SignedIn(
        actor=_actor(user_id, name, display_name or name, roles or ""),
        token=token,
        token_hash=token_hash,
        must_change_password=bool(must_change_password),
        seen_long_ago=bool(seen_long_ago),
    )


def mark_seen(session: Session, token_hash: str, *, now: datetime) -> None:
    """Note that the browser is in use, unless that was noted within the minute."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == token_hash, SignInSession.seen_at <= now - SEEN_EVERY)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


def list_open(
    session: Session, *, user_id: int, now: datetime, settings: Settings
) -> Sequence[SignInSession]:
    """The sessions of the user that still count, the one used last first."""
    return session.scalars(
        select(SignInSession)
        .where(
            SignInSession.user_id == user_id,
            SignInSession.ends_at > now,
            SignInSession.seen_at > _idle_since(now, settings),
        )
        .order_by(SignInSession.seen_at.desc(), SignInSession.token_hash)
    ).all()


def end(session: Session, token_hash: str, *, user_id: int) -> bool:
    """End one session of the user; False where there is none such."""
    ended = delete(SignInSession).where(
        SignInSession.token_hash == token_hash, SignInSession.user_id == user_id
    )
    return changed(session, ended) == 1


def end_token(session: Session, token: str) -> None:
    """End the session of `token`, whoever's it is; none is fine."""
    session.execute(delete(SignInSession).where(SignInSession.token_hash == hash_token(token)))


def end_all(session: Session, *, user_id: int, but: str | None = None) -> int:
    """End the user's sessions, except the one with the hash `but`; returns how many."""
    ended = delete(SignInSession).where(SignInSession.user_id == user_id)
    if but is not None:
        ended = ended.where(SignInSession.token_hash != but)
    return changed(session, ended)


def remove_old_sessions(session: Session, *, now: datetime, settings: Settings) -> None:
    """Delete the rows of sessions that ran out or lay idle; nobody could use them."""
    session.execute(
        delete(SignInSession).where(
            (SignInSession.ends_at <= now) | (SignInSession.seen_at <= _idle_since(now, settings))
        )
    )


def hash_token(token: str) -> str:
    """What stands in the row for `token`."""
    return hashlib.sha256(token.encode()).hexdigest()


def _idle_since(now: datetime, settings: Settings) -> datetime:
    return now - timedelta(minutes=settings.session_idle_minutes)


@lru_cache(maxsize=256)
def _actor(user_id: int, name: str, display_name: str, roles: str) -> Actor:
    """The actor of a row; equal rows share one."""
    held = frozenset(Role(role) for role in roles.split(",") if role)
    return Actor(user_id=user_id, name=name, roles=held, display_name=display_name)


# Tables, not classes: the rows are the driver's own.
_USER, _ROLE, _SESSION = (cast("Table", kind.__table__) for kind in (User, UserRole, SignInSession))
_COMMA = cast("str", literal_column("','", String))  # in the text: a look-up adds no values
_LOOK_UP = (
    select(
        _USER.c.id,
        _USER.c.name,
        _USER.c.display_name,
        _USER.c.must_change_password,
        _SESSION.c.seen_at <= bindparam("long_ago", type_=UtcDateTime()),
        select(func.aggregate_strings(_ROLE.c.role, _COMMA))
        .where(_ROLE.c.user_id == _USER.c.id)
        .correlate(_USER)
        .scalar_subquery(),
    )
    .join_from(_SESSION, _USER, _SESSION.c.user_id == _USER.c.id)
    .where(
        _SESSION.c.token_hash == bindparam("token_hash"),
        _SESSION.c.ends_at > bindparam("now", type_=UtcDateTime()),
        _SESSION.c.seen_at > bindparam("idle", type_=UtcDateTime()),
        _USER.c.enabled,
    )
)
