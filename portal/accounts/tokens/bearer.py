"""Who holds a token: one look-up for each request. Wrong tokens are counted as wrong passwords are.

These functions commit by themselves, before the request's own transaction begins.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog
from sqlalchemy import Engine, String, Table, bindparam, func, literal_column, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts import throttle
from portal.accounts.models import ApiToken, User, UserRole
from portal.accounts.permissions import Actor, Permission, Role
from portal.accounts.sessions import SEEN_EVERY
from portal.accounts.sign_in import ANONYMOUS, TooManyAttemptsError
from portal.accounts.tokens.service import PREFIX, hash_secret
from portal.audit.service import record
from portal.db import UtcDateTime
from portal.lookups import LookUp
from portal.runtime import Runtime

log = structlog.get_logger("portal.accounts")


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Who asks by a token, in the form that Flask-Login asks for; made anew for each request."""

    actor: Actor
    token_id: int
    must_change_password: bool = False  # a program cannot; its user's password is no part of it
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Nothing that a cookie could carry."""
        return ""


def open_look_up(engine: Engine) -> LookUp:
    """What `find_bearer` asks; one for a process."""
    return LookUp(engine, _LOOK_UP)


def find_bearer(runtime: Runtime, look_up: LookUp, secret: str, *, address: str) -> Bearer | None:
    """Who acts by the token with this secret, None where it is not good (any more).

    Raises TooManyAttemptsError where too many wrong ones came from `address`; a right one is let
    in even then, as nobody guesses 256 bits.
    """
    now = runtime.clock()
    row = None
    if secret.startswith(PREFIX) and secret.isascii():
        long_ago = now - SEEN_EVERY
        row = look_up.first(secret_hash=hash_secret(secret), now=now, long_ago=long_ago)
    if row is None:
        _count_wrong_one(runtime, address, now=now)
        return None
    token_id, scopes, used_long_ago, user_id, name, display_name, roles = row
    if used_long_ago:
        _mark_used(runtime, token_id, now=now)
    actor = Actor(
        user_id=user_id,
        name=name,
        display_name=display_name or name,
        roles=frozenset(Role(role) for role in (roles or "").split(",") if role),
        scopes=_known(scopes),
    )
    return Bearer(actor=actor, token_id=token_id)


def _known(scopes: str) -> frozenset[Permission]:
    """The scopes that name a permission; one that this version does not know grants nothing."""
    return frozenset(scope for scope in Permission if scope in scopes.split())


def _mark_used(runtime: Runtime, token_id: int, *, now: datetime) -> None:
    """That it cannot be written is no reason to refuse a request."""
    unmarked = or_(ApiToken.used_at.is_(None), ApiToken.used_at <= now - SEEN_EVERY)
    try:
        with runtime.sessions.begin() as session:
            session.execute(
                update(ApiToken)
                .where(ApiToken.id == token_id, unmarked)
                .values(used_at=now)
                .execution_options(synchronize_session=False)
            )
    except SQLAlchemyError as error:
        log.warning("token not marked as used", error=type(error).__name__)


def _count_wrong_one(runtime: Runtime, address: str, *, now: datetime) -> None:
    key = throttle.token_key(runtime.settings.key(), address=address)
    with runtime.reads() as reader:
        until = throttle.blocked_until(reader, key, now=now, settings=runtime.settings)
    if until is None:
        with runtime.sessions.begin() as session:
            until = throttle.count_wrong_token(session, key, now=now, settings=runtime.settings)
            record(
                session,
                actor=ANONYMOUS,
                action="token.refuse",
                object_kind="user",
                object_id="",
                now=now,
                address=address,
            )
    if until is not None:
        raise TooManyAttemptsError(until, now=now)


# Tables, not classes: the rows are the driver's own.
_USER, _ROLE, _TOKEN = (cast("Table", kind.__table__) for kind in (User, UserRole, ApiToken))
_COMMA = cast("str", literal_column("','", String))  # in the text: a look-up adds no values
_USED = _TOKEN.c.used_at
_LOOK_UP = (
    select(
        _TOKEN.c.id,
        _TOKEN.c.scopes,
        or_(_USED.is_(None), bindparam("long_ago", type_=UtcDateTime()) >= _USED),
        _USER.c.id,
        _USER.c.name,
        _USER.c.display_name,
        select(func.aggregate_strings(_ROLE.c.role, _COMMA))
        .where(_ROLE.c.user_id == _USER.c.id)
        .correlate(_USER)
        .scalar_subquery(),
    )
    .join_from(_TOKEN, _USER, _TOKEN.c.user_id == _USER.c.id)
    .where(
        _TOKEN.c.secret_hash == bindparam("secret_hash"),
        _TOKEN.c.revoked_at.is_(None),
        or_(
            _TOKEN.c.expires_at.is_(None),
            _TOKEN.c.expires_at > bindparam("now", type_=UtcDateTime()),
        ),
        _USER.c.enabled,
    )
)
