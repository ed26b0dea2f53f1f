"""Permissions are strings, roles are named sets of them. Pure: who may do what is decided here."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache


class Permission(StrEnum):
    """What a person may be allowed to do, in the whole portal."""

    SIGN_IN = "portal.sign_in"
    USERS_MANAGE = "users.manage"
    AUDIT_VIEW = "audit.view"
    JOBS_VIEW_ALL = "jobs.view_all"
    JOBS_MANAGE_ALL = "jobs.manage_all"
    SCHEDULES_MANAGE = "schedules.manage"
    METRICS_VIEW = "metrics.view"
    BACKUPS_WRITE = "backups.write"
    PROJECTS_CREATE = "projects.create"
    PROJECTS_MANAGE_ALL = "projects.manage_all"
    DATACENTER_VIEW = "datacenter.view"
    DATACENTER_EDIT = "datacenter.edit"
    DATACENTER_SETTINGS = "datacenter.settings"
    IMPORTS_RUN = "imports.run"
    TABLES_BROWSE = "tables.browse"
    TABLES_EXPORT = "tables.export"
    TABLES_GRANT = "tables.grant"
    DELIVERY_OPERATE = "delivery.operate"
    SHOWROOM_OPERATE = "showroom.operate"


class Role(StrEnum):
    """A named set of permissions; a user holds any number of roles."""

    ADMIN = "admin"
    DATA_MANAGER = "data_manager"
    IMPORT_MANAGER = "import_manager"
    EXPORT_MANAGER = "export_manager"
    OPERATOR = "operator"
    MEMBER = "member"


_DATA = frozenset({Permission.DATACENTER_VIEW, Permission.DATACENTER_EDIT})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.DATA_MANAGER: _DATA,
    Role.IMPORT_MANAGER: _DATA | {Permission.IMPORTS_RUN, Permission.TABLES_BROWSE},
    Role.EXPORT_MANAGER: frozenset({Permission.TABLES_EXPORT}),
    Role.OPERATOR: frozenset({Permission.DELIVERY_OPERATE, Permission.SHOWROOM_OPERATE}),
    Role.MEMBER: frozenset({Permission.PROJECTS_CREATE}),
}


@lru_cache(maxsize=64)
def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """What an enabled user with `roles` may: to sign in, and the union of what they grant."""
    return frozenset({Permission.SIGN_IN}).union(*(ROLE_PERMISSIONS[role] for role in roles))


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a user as he stands now, or the system itself (`user_id` None).

    `scopes` are set where a program acts for the user: it may what both they and the roles name.
    """

    user_id: int | None
    name: str
    roles: frozenset[Role] = frozenset()
    display_name: str = ""
    enabled: bool = True
    scopes: frozenset[Permission] | None = None
    permissions: frozenset[Permission] = field(init=False)

    def __post_init__(self) -> None:
        granted = permissions_of(self.roles) if self.enabled else frozenset()
        allowed = granted if self.scopes is None else granted & self.scopes
        object.__setattr__(self, "permissions", allowed)

    def may(self, permission: Permission) -> bool:
        """Say whether a role of the actor grants `permission`."""
        return permission in self.permissions

    def may_give(self, role: Role) -> bool:
        """Say whether the actor may do all that `role` grants; nobody gives more than he has."""
        return ROLE_PERMISSIONS[role] <= self.permissions


SYSTEM = Actor(user_id=None, name="system", roles=frozenset({Role.ADMIN}), display_name="system")
