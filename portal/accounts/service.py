"""Users: made, given roles and passwords, disabled and enabled again. Every change is audited."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts import sessions
from portal.accounts.models import User, UserRole
from portal.accounts.names import clean_name, name_key
from portal.accounts.password_rules import check_new_password
from portal.accounts.passwords import NOBODYS_HASH, hash_password, make_one_time_password
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.audit.service import record
from portal.errors import ConflictError, InvalidError, NotFoundError

FIRST_ADMIN = "admin"
LISTED = 200


def find_user(session: Session, name: str) -> User | None:
    """The user whom `name` means, in whatever case and Unicode form it is written."""
    return session.scalar(select(User).where(User.name_key == name_key(name)))


def get_user(session: Session, user_id: int) -> User:
    """The user with this id; raises NotFoundError."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundError("There is no such user.")
    return user


def get_user_named(session: Session, name: str) -> User:
    """The user with this name; raises NotFoundError."""
    user = find_user(session, name)
    if user is None:
        raise NotFoundError(f"There is no user {name!r}.")
    return user


def list_users(session: Session, *, text: str = "", after: str = "") -> Sequence[User]:
    """Users whose name or e-mail contains `text`, by name, from behind the name key `after`."""
    wanted = select(User).where(User.name_key > after).order_by(User.name_key).limit(LISTED)
    if text.strip():
        wanted = wanted.where(
            or_(
                User.name_key.contains(name_key(text), autoescape=True),
                User.display_name.icontains(text.strip(), autoescape=True),
                User.email.icontains(text.strip(), autoescape=True),
            )
        )
    return session.scalars(wanted).all()


def create_user(
    session: Session,
    *,
    actor: Actor,
    name: str,
    roles: Collection[Role],
    password: str | None,
    now: datetime,
    display_name: str = "",
    email: str = "",
    must_change_password: bool = True,
    enabled: bool = True,
    address: str = "",
) -> User:
    """Make a user. Raises InvalidError for bad input, ConflictError for a taken name.

    Without a password nobody can sign in as the user until a one-time password is given.
    """
    clean = clean_name(name)
    if password is not None:
        check_new_password(password, name=clean)
    user = User(
        name=clean,
        name_key=name_key(clean),
        display_name=_short(display_name, 128),
        email=_short(email, 254),
        # before the first statement: it takes its time
        password_hash=NOBODYS_HASH if password is None else hash_password(password),
        must_change_password=must_change_password,
        enabled=enabled,
        created_at=now,
        roles=[UserRole(role=role) for role in sorted(set(roles))],
    )
    _insert(session, user)
    detail = {"name": clean, "roles": sorted(set(roles))}
    _record(session, user, "user.create", actor=actor, now=now, address=address, detail=detail)
    return user


def set_details(
    session: Session,
    user: User,
    *,
    actor: Actor,
    display_name: str,
    email: str,
    now: datetime,
    address: str = "",
) -> None:
    """Give `user` another full name and e-mail address; raises InvalidError for long ones."""
    after = {"display_name": _short(display_name, 128), "email": _short(email, 254)}
    changed = [name for name, value in after.items() if getattr(user, name) != value]
    if not changed:
        return
    user.display_name, user.email = after["display_name"], after["email"]
    detail = {"changed": changed}
    _record(session, user, "user.details", actor=actor, now=now, address=address, detail=detail)


def set_roles(
    session: Session,
    user: User,
    *,
    actor: Actor,
    roles: Collection[Role],
    now: datetime,
    address: str = "",
) -> None:
    """Give `user` exactly `roles`. Raises ConflictError if no enabled admin would be left."""
    before, after = {Role(row.role) for row in user.roles}, set(roles)
    if before == after:
        return
    if Role.ADMIN in before - after and user.enabled:
        keep_an_admin(session, user)
    kept = [row for row in user.roles if row.role in after]
    user.roles = kept + [UserRole(role=role) for role in sorted(after - before)]
    session.flush()
    detail = {"before": sorted(before), "after": sorted(after)}
    _record(session, user, "user.roles", actor=actor, now=now, address=address, detail=detail)


def disable_user(
    session: Session, user: User, *, actor: Actor, now: datetime, address: str = ""
) -> None:
    """Shut `user` out at once, all sessions ended. Raises ConflictError for the last admin."""
    if not user.enabled:
        return
    if any(row.role == Role.ADMIN for row in user.roles):
        keep_an_admin(session, user)
    user.enabled = False
    _end_all(session, user, "user.disable", actor=actor, now=now, address=address)


def enable_user(
    session: Session, user: User, *, actor: Actor, now: datetime, address: str = ""
) -> None:
    """Let `user` sign in again."""
    if user.enabled:
        return
    user.enabled = True
    _record(session, user, "user.enable", actor=actor, now=now, address=address)


def set_password(
    session: Session,
    user: User,
    *,
    actor: Actor,
    password: str,
    now: datetime,
    address: str = "",
) -> None:
    """Give `user` another password and end all sessions. Raises InvalidError for a bad one."""
    check_new_password(password, name=user.name)
    user.password_hash, user.must_change_password = hash_password(password), False
    _end_all(session, user, "user.password", actor=actor, now=now, address=address)


def give_one_time_password(
    session: Session, user_id: int, *, actor: Actor, now: datetime, address: str = ""
) -> tuple[User, str]:
    """Replace the user's password by a made-up one, to be changed at the first sign-in."""
    password = make_one_time_password()
    stored = hash_password(password)  # before the first statement: it takes its time
    user = get_user(session, user_id)
    user.password_hash, user.must_change_password = stored, True
    _end_all(session, user, "user.one_time_password", actor=actor, now=now, address=address)
    return user, password


def end_session(
    session: Session, token_hash: str, *, actor: Actor, now: datetime, address: str = ""
) -> None:
    """End one of the actor's own sessions; raises NotFoundError for any other."""
    user = _own_row(session, actor)
    if not sessions.end(session, token_hash, user_id=user.id):
        raise NotFoundError("That browser is signed out already.")
    _record(session, user, "session.end", actor=actor, now=now, address=address)


def end_other_sessions(
    session: Session, kept: str, *, actor: Actor, now: datetime, address: str = ""
) -> int:
    """End the actor's own sessions but the one with the hash `kept`; returns how many."""
    user = _own_row(session, actor)
    ended = sessions.end_all(session, user_id=user.id, but=kept)
    detail = {"sessions_ended": ended}
    _record(
        session, user, "session.end_others", actor=actor, now=now, address=address, detail=detail
    )
    return ended


def has_another_admin(session: Session, leaving: User) -> bool:
    """Say whether an enabled admin besides `leaving` stays; two who ask at once wait."""
    admins = session.scalars(
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .where(UserRole.role == Role.ADMIN, User.enabled)
        .order_by(User.id)
        .with_for_update()
    ).all()
    return bool(set(admins) - {leaving.id})


def keep_an_admin(session: Session, leaving: User) -> None:
    """Raise ConflictError unless an enabled admin besides `leaving` stays."""
    if not has_another_admin(session, leaving):
        raise ConflictError(
            f"{leaving.name!r} is the last admin. Make somebody else an admin first."
        )


def ensure_first_admin(session: Session, *, now: datetime) -> str | None:
    """On the first start make the user `admin` and return the one-time password; later None."""
    has_admin = select(UserRole.user_id).where(UserRole.role == Role.ADMIN).limit(1)
    if session.scalar(has_admin) is not None or find_user(session, FIRST_ADMIN) is not None:
        return None
    password = make_one_time_password()
    create_user(
        session, actor=SYSTEM, name=FIRST_ADMIN, roles=(Role.ADMIN,), password=password, now=now
    )
    return password


def _insert(session: Session, user: User) -> None:
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise ConflictError(
            f"There is already a user {user.name!r}; names differ by more than case."
        ) from None


def _end_all(
    session: Session, user: User, action: str, *, actor: Actor, now: datetime, address: str
) -> None:
    """Record the change and sign the user out everywhere."""
    detail = {"sessions_ended": sessions.end_all(session, user_id=user.id)}
    _record(session, user, action, actor=actor, now=now, address=address, detail=detail)


def _own_row(session: Session, actor: Actor) -> User:
    if actor.user_id is None:
        raise NotFoundError("Portal itself has no account.")
    return get_user(session, actor.user_id)


def _short(text: str, length: int) -> str:
    clean = " ".join(text.split())
    if len(clean) > length:
        raise InvalidError(f"That is longer than {length} characters; shorten it.")
    return clean


def _record(
    session: Session,
    user: User,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    address: str,
    detail: dict[str, Any] | None = None,
) -> None:
    record(
        session,
        actor=actor,
        action=action,
        object_kind="user",
        object_id=str(user.id),
        now=now,
        address=address,
        detail=detail,
    )
    session.flush()
