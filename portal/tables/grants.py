"""Granting tables to roles, and asking what is granted. Services flush, edges commit."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import ROLE_PERMISSIONS, Actor, Permission, Role
from portal.audit.service import record
from portal.errors import ForbiddenError, InvalidError
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.actions import EXPORTS, OF_OUR_OWN, Action, Granted, Rights, grantable
from portal.tables.models import TableAccess, TableGrant

SUBJECT = "table"
DEFAULT_PLACE = "default"
FRESH_SECONDS = 2.0


def place_of(settings: Settings) -> str:
    """What grants call the tables database: a short name for where it is, however one connects."""
    if not settings.tables_url:
        return DEFAULT_PLACE
    url = make_url(settings.tables_url)
    where = f"{url.host or url.query.get('host')}:{url.port}/{url.database}"
    return f"{url.get_backend_name()}-{sha256(where.encode()).hexdigest()[:16]}"


def default_grants(settings: Settings) -> Granted:
    """What is granted for tables nobody decided about: all of them in Portal's own SQLite file."""
    return EXPORTS if settings.tables_url else OF_OUR_OWN


def rights_of(session: Session, *, settings: Settings, actor: Actor) -> Rights:
    """What `actor` may do with tables now."""
    return Rights(
        actor=actor,
        decided=_decided(session, place_of(settings)),
        otherwise=default_grants(settings),
    )


def may_export(session: Session, actor: Actor, *, place: str, table: str) -> bool:
    """Say whether `actor` may export a table of the database at `place` now."""
    decided = _decided(session, place)
    return Rights(actor=actor, decided=decided, otherwise=EXPORTS).may(table, Action.EXPORT)


def may_do_one(
    session: Session,
    actor: Actor,
    *,
    place: str,
    tables: Iterable[str],
    actions: Sequence[Action],
) -> bool:
    """Say whether `actor` may do one of `actions` with each of the tables at `place` now."""
    otherwise = OF_OUR_OWN if place == DEFAULT_PLACE else EXPORTS
    rights = Rights(actor=actor, decided=_decided(session, place), otherwise=otherwise)
    return all(rights.may_any(table, actions) for table in tables)


def granted_for(session: Session, *, settings: Settings, table: str) -> Granted:
    """What is granted for one table, to whom."""
    return _decided(session, place_of(settings)).get(table, default_grants(settings))


def set_grants(
    session: Session,
    *,
    settings: Settings,
    actor: Actor,
    table: str,
    grants: Granted,
    now: datetime,
    address: str = "",
) -> None:
    """Let exactly `grants` hold for a table from now on.

    Raises ForbiddenError, and InvalidError where a role has no use for what it is granted.
    """
    if not actor.may(Permission.TABLES_GRANT):
        raise ForbiddenError("Only an administrator grants tables.")
    _check_useful(grants)
    place = place_of(settings)
    access = session.get(TableAccess, (place, table))
    if access is None:
        access = TableAccess(place=place, table_name=table)
        session.add(access)
    access.changed_at, access.changed_by = now, actor.name
    kept = {(grant.role, grant.action): grant for grant in access.grants}
    access.grants = [
        kept.get((str(role), str(action))) or TableGrant(role=str(role), action=str(action))
        for role, action in sorted(grants)
    ]
    session.flush()
    record(
        session,
        actor=actor,
        action="table.grant",
        object_kind=SUBJECT,
        object_id=table,
        now=now,
        address=address,
        detail={"grants": [f"{role}: {action}" for role, action in sorted(grants)]},
    )


class Grants:
    """What is granted, for a worker that asks for every few thousand rows."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: dict[Actor, tuple[float, Rights]] = {}

    def of(self, actor: Actor) -> Rights:
        """The rights of `actor`, at most two seconds old."""
        asked_at, rights = self._known.get(actor, (0.0, None))
        now = time.monotonic()
        if rights is None or now - asked_at > FRESH_SECONDS:
            with self._runtime.reads() as session:
                rights = rights_of(session, settings=self._runtime.settings, actor=actor)
            self._known = {actor: (now, rights)}
        return rights


def _decided(session: Session, place: str) -> dict[str, Granted]:
    rows = session.execute(
        select(TableAccess.table_name, TableGrant.role, TableGrant.action)
        .outerjoin(TableAccess.grants)
        .where(TableAccess.place == place)
    )
    decided: dict[str, set[tuple[Role, Action]]] = {}
    for row in rows:
        found = decided.setdefault(row.table_name, set())
        if row.role is not None:
            found.add((Role(row.role), Action(row.action)))
    return {name: frozenset(found) for name, found in decided.items()}


def _check_useful(grants: Iterable[tuple[Role, Action]]) -> None:
    for role, action in grants:
        if action not in grantable(role, ROLE_PERMISSIONS[role]):
            raise InvalidError(f"The role {role} cannot {action} tables; it has no use for that.")
