"""The browser's side of a sign-in: the cookie with the token, and who holds it."""

from typing import cast

import structlog
from flask import Request, request
from flask import session as cookie
from flask_login import current_user, login_user
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts import sessions
from portal.accounts.sessions import SignedIn
from portal.accounts.sign_in import Visitor
from portal.accounts.tokens.bearer import Bearer, find_bearer
from portal.web.extensions import services
from portal.web.paths import below_api

_TOKEN = "_user_id"  # noqa: S105 (Flask-Login's name for it in the cookie)

log = structlog.get_logger("portal.web")


def load_signed_in(token: str) -> SignedIn | None:
    """Who holds the cookie's token; Flask-Login asks once in a request.

    Never by the request's session: where the request writes, on SQLite it would take the write
    lock now, and hold it while the body comes in.
    """
    runtime = services().runtime
    now, settings = runtime.clock(), runtime.settings
    found = sessions.find_signed_in(services().sign_ins, token, now=now, settings=settings)
    if found is not None and found.seen_long_ago:
        _mark_seen(found)
    return found


def load_bearer(_request: Request) -> Bearer | None:
    """Who acts by the request's token, before the request's session begins; nobody on pages.

    Raises TooManyAttemptsError.
    """
    given = request.authorization if below_api() else None
    if given is None or given.type != "bearer" or not given.token:
        return None
    return find_bearer(services().runtime, services().bearers, given.token, address=address())


def carry(token: str) -> None:
    """Give the browser a new cookie with `token` and nothing of the old one."""
    runtime = services().runtime
    found = sessions.find_signed_in(
        services().sign_ins, token, now=runtime.clock(), settings=runtime.settings
    )
    drop()
    if found is not None:
        login_user(found)


def drop() -> None:
    """Empty the browser's cookie."""
    cookie.clear()


def signed_in() -> SignedIn:
    """Who is signed in; only in views that need a permission."""
    return cast("SignedIn", current_user._get_current_object())  # noqa: SLF001 (Werkzeug's proxy)


def visitor() -> Visitor:
    """From where and with what the request comes."""
    return Visitor(address=address(), browser=request.user_agent.string, token=cookie.get(_TOKEN))


def address() -> str:
    """Where the request comes from; behind trusted proxies what they say (ProxyFix)."""
    return request.remote_addr or ""


def _mark_seen(found: SignedIn) -> None:
    """In a transaction of its own; that it cannot be written is no reason to refuse a request."""
    runtime = services().runtime
    try:
        with runtime.sessions.begin() as writer:
            sessions.mark_seen(writer, found.token_hash, now=runtime.clock())
    except SQLAlchemyError as error:
        log.warning("session not marked as seen", error=type(error).__name__)
