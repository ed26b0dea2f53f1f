"""What can be granted for a table, and what holds where nobody decided. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.accounts.permissions import Actor, Permission, Role
from portal.rows.processors import Mode


class Action(StrEnum):
    """What a role may do with a table: what batches do, look at it, or export it."""

    BROWSE = "browse"
    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    EXPORT = "export"


MODES = {
    Mode.CREATE: (Action.CREATE,),
    Mode.UPDATE: (Action.UPDATE,),
    Mode.REMOVE: (Action.REMOVE,),
    Mode.UPSERT: (Action.CREATE, Action.UPDATE),
}
UNDOING = {
    Mode.CREATE: (Action.REMOVE,),
    Mode.UPDATE: (Action.UPDATE,),
    Mode.REMOVE: (Action.CREATE,),
    Mode.UPSERT: (Action.UPDATE, Action.REMOVE),
}
NEEDS = {
    Action.BROWSE: Permission.TABLES_BROWSE,
    Action.CREATE: Permission.IMPORTS_RUN,
    Action.UPDATE: Permission.IMPORTS_RUN,
    Action.REMOVE: Permission.IMPORTS_RUN,
    Action.EXPORT: Permission.TABLES_EXPORT,
}
Granted = frozenset[tuple[Role, Action]]
EXPORTS: Granted = frozenset({(Role.EXPORT_MANAGER, Action.EXPORT)})
OF_OUR_OWN = EXPORTS | {(Role.IMPORT_MANAGER, action) for action in Action if action != "export"}


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What `actor` may do with the tables of a database, as it was decided.

    `otherwise` holds for tables that nobody decided about.
    """

    actor: Actor
    decided: Mapping[str, Granted]
    otherwise: Granted

    def may(self, table: str, action: Action) -> bool:
        """Say whether the actor may do this: his permission, and a grant to one of his roles."""
        if not self.actor.may(NEEDS[action]):
            return False
        if Role.ADMIN in self.actor.roles:
            return True
        granted = self.decided.get(table, self.otherwise)
        return any((role, action) in granted for role in self.actor.roles)

    def may_all(self, table: str, actions: Iterable[Action]) -> bool:
        """Say whether the actor may do each of these."""
        return all(self.may(table, action) for action in actions)

    def may_any(self, table: str, actions: Iterable[Action]) -> bool:
        """Say whether the actor may do one of these."""
        return any(self.may(table, action) for action in actions)


def grantable(role: Role, permissions: Iterable[Permission]) -> tuple[Action, ...]:
    """The actions that a role with these permissions can make use of; administrators need none."""
    known = set(permissions)
    return () if role is Role.ADMIN else tuple(a for a in Action if NEEDS[a] in known)
