"""Slowing down who guesses passwords: attempts are counted per account and per address.

An attempt is counted before the password is looked at, so that many at once cannot slip through;
one that succeeds is taken back.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from portal.accounts.models import SignInFailures
from portal.accounts.names import name_key
from portal.settings import Settings

ADDRESS_FACTOR = 5  # an office behind one address shares its count


@dataclass(frozen=True, kw_only=True)
class AttemptKeys:
    """Under which digests an attempt is counted; neither name nor address is stored."""

    account: str
    address: str


def attempt_keys(secret: str, *, name: str, address: str) -> AttemptKeys:
    """The keys for an attempt as `name` from `address`; an IPv6 address counts as its /64."""
    return AttemptKeys(
        account=_digest(secret, f"account:{name_key(name)}"),
        address=_digest(secret, f"address:{_network(address)}"),
    )


def count_attempt(
    session: Session, keys: AttemptKeys, *, now: datetime, settings: Settings
) -> datetime | None:
    """Count one attempt. Returns None if it may go on, else when the next one is welcome."""
    window_ends = now + timedelta(minutes=settings.sign_in_window_minutes)
    limits = (
        (keys.account, settings.sign_in_failures),
        (keys.address, settings.sign_in_failures * ADDRESS_FACTOR),
    )
    counted = [(_count(session, key, now, window_ends), limit) for key, limit in limits]
    return max((ends for (failures, ends), limit in counted if failures > limit), default=None)


def forgive(session: Session, keys: AttemptKeys) -> None:
    """After a success: the account starts anew, the address has one attempt less."""
    session.execute(delete(SignInFailures).where(SignInFailures.key == keys.account))
    session.execute(
        update(SignInFailures)
        .where(SignInFailures.key == keys.address, SignInFailures.failures > 0)
        .values(failures=SignInFailures.failures - 1)
        .execution_options(synchronize_session=False)
    )


def token_key(secret: str, *, address: str) -> str:
    """The key under which wrong tokens from `address` are counted, apart from sign-ins."""
    return _digest(secret, f"tokens:{_network(address)}")


def blocked_until(
    session: Session, key: str, *, now: datetime, settings: Settings
) -> datetime | None:
    """When the next attempt is welcome where there were too many already; writes nothing."""
    return session.scalar(
        select(SignInFailures.window_ends_at).where(
            SignInFailures.key == key,
            SignInFailures.failures > settings.sign_in_failures,
            SignInFailures.window_ends_at > now,
        )
    )


def count_wrong_token(
    session: Session, key: str, *, now: datetime, settings: Settings
) -> datetime | None:
    """Count one wrong token. Returns when the next attempt is welcome if it was one too many."""
    window_ends = now + timedelta(minutes=settings.sign_in_window_minutes)
    failures, ends = _count(session, key, now, window_ends)
    return ends if failures > settings.sign_in_failures else None


def remove_old_failures(session: Session, *, now: datetime) -> None:
    """Forget counts whose window is over."""
    session.execute(delete(SignInFailures).where(SignInFailures.window_ends_at <= now))


def _count(
    session: Session, key: str, now: datetime, window_ends: datetime
) -> tuple[int, datetime]:
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    over = SignInFailures.window_ends_at <= now
    row = session.execute(
        insert(SignInFailures)
        .values(key=key, failures=1, window_ends_at=window_ends)
        .on_conflict_do_update(
            index_elements=[SignInFailures.key],
            set_={
                "failures": case((over, 1), else_=SignInFailures.failures + 1),
                "window_ends_at": case((over, window_ends), else_=SignInFailures.window_ends_at),
            },
        )
        .returning(SignInFailures.failures, SignInFailures.window_ends_at)
    ).one()
    return row.failures, row.window_ends_at


def _digest(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
