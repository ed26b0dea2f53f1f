"""API tokens are made, listed and revoked here. Every change is audited; secrets never are."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.actors import actor_of
from portal.accounts.models import ApiToken, User
from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError

PREFIX = "portal_"  # so that a secret that leaked into a repository is recognised
SECRET_BYTES = 32
MOST = 50
LISTED = 200
NAME_LENGTH = 64


def create_token(
    session: Session,
    user: User,
    *,
    actor: Actor,
    name: str,
    scopes: Collection[Permission],
    days: int | None,
    now: datetime,
    address: str = "",
) -> tuple[ApiToken, str]:
    """Make a token of `user`; returns it and its secret, which is stored nowhere.

    It may sign in, and what `scopes` name besides. Raises ForbiddenError for scopes that the user
    or the actor lacks, InvalidError for a bad name or time, ConflictError where there are too many.
    """
    wanted = frozenset(scopes) | {Permission.SIGN_IN}
    _check_scopes(wanted, user=actor_of(user), actor=actor)
    _check_number(session, user, now=now)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken(
        user_id=user.id,
        name=_clean_name(name),
        secret_hash=hash_secret(secret),
        scopes=" ".join(sorted(wanted)),
        created_at=now,
        expires_at=None if days is None else now + _time_of(days),
    )
    session.add(token)
    session.flush()
    detail = {"token": token.id, "name": token.name, "scopes": sorted(wanted), "days": days}
    _record(session, token, "token.create", actor=actor, now=now, address=address, detail=detail)
    return token, secret


def list_tokens(session: Session, *, user_id: int | None = None) -> Sequence[ApiToken]:
    """The newest tokens of a user, or of everybody, those that were revoked included."""
    wanted = select(ApiToken).order_by(ApiToken.id.desc()).limit(LISTED)
    if user_id is not None:
        wanted = wanted.where(ApiToken.user_id == user_id)
    return session.scalars(wanted).all()


def get_token(session: Session, token_id: int, *, actor: Actor) -> ApiToken:
    """A token of the actor's own, or any for who manages users; raises NotFoundError otherwise."""
    token = session.get(ApiToken, token_id)
    if token is None or not (token.user_id == actor.user_id or actor.may(Permission.USERS_MANAGE)):
        raise NotFoundError("There is no such token.")
    return token


def revoke_token(
    session: Session, token: ApiToken, *, actor: Actor, now: datetime, address: str = ""
) -> None:
    """End `token` for ever; that it was revoked already is fine."""
    if token.revoked_at is not None:
        return
    token.revoked_at = now
    detail = {"token": token.id, "name": token.name}
    _record(session, token, "token.revoke", actor=actor, now=now, address=address, detail=detail)


def state_of(token: ApiToken, *, now: datetime) -> str:
    """`active`, `expired` or `revoked`."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "active"


def hash_secret(secret: str) -> str:
    """What stands in the row for `secret`; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_scopes(wanted: frozenset[Permission], *, user: Actor, actor: Actor) -> None:
    if missing := sorted(wanted - user.permissions):
        raise ForbiddenError(f"{user.name!r} may not do this, so no token may: {_listed(missing)}.")
    if missing := sorted(wanted - actor.permissions):
        raise ForbiddenError(f"You may not do this, so you cannot give it: {_listed(missing)}.")


def _check_number(session: Session, user: User, *, now: datetime) -> None:
    lasting = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)
    count = session.scalar(
        select(func.count()).where(
            ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None), lasting
        )
    )
    if count is not None and count >= MOST:
        raise ConflictError(f"There are {MOST} tokens already; revoke one first.")


def _clean_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_LENGTH or not clean.isprintable():
        raise InvalidError(f"A token needs a name of at most {NAME_LENGTH} characters.")
    return clean


def _time_of(days: int) -> timedelta:
    if not 1 <= days <= 3650:
        raise InvalidError("A token is good for 1 to 3650 days, or until it is revoked.")
    return timedelta(days=days)


def _listed(permissions: Sequence[Permission]) -> str:
    return ", ".join(permissions)


def _record(
    session: Session,
    token: ApiToken,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    address: str,
    detail: dict[str, Any],
) -> None:
    record(
        session,
        actor=actor,
        action=action,
        object_kind="user",
        object_id=str(token.user_id),
        now=now,
        address=address,
        detail=detail,
    )
    session.flush()
