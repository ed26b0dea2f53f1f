"""Users as records: made, changed and removed by the rows of a file.

This file stands above the rows, which stand above the rest of accounts (docs/decisions/056).
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.names import NAME_LENGTH, clean_name
from portal.accounts.permissions import Actor, Permission, Role
from portal.accounts.removal import check_removable, is_admin, remove_unused_user
from portal.rows.processors import Acting, Mode, Processor, Record, RefusedRowError
from portal.rows.refusals import NO_REMOVE, NO_UPDATE, row_refused
from portal.rows.values import text_in
from portal.tabular.fields import Choice, Field, FieldType, Values

HELP = (
    "People who may sign in. A new user has no password: nobody signs in before an administrator "
    "gives a one-time password. Remove takes only users who never had one and whom nothing refers "
    "to; everybody else stays on record, and is shut out by an update with `enabled` no."
)
FIELDS = (
    Field(
        name="name",
        title="Name",
        help="What the user signs in with. Case makes no difference; it never changes.",
        required=True,
        synonyms=("user", "user name", "login", "account"),
        max_length=NAME_LENGTH,
    ),
    Field(
        name="display_name",
        title="Full name",
        help="How others read the name.",
        synonyms=("full name", "fullname"),
        max_length=128,
    ),
    Field(
        name="email",
        type=FieldType.EMAIL,
        title="E-mail",
        help="Where messages go.",
        synonyms=("e-mail", "mail", "email address"),
        max_length=254,
    ),
    Field(
        name="roles",
        type=FieldType.LIST,
        title="Roles",
        help="All roles that the user shall hold, parted by semicolons; none that grants more than "
        "you may yourself.",
        default=(),
        choices=tuple(Choice(value=str(role)) for role in Role),
        synonyms=("role",),
    ),
    Field(
        name="enabled",
        type=FieldType.BOOLEAN,
        title="Enabled",
        help="No shuts the user out at once and ends all sessions; yes lets the user in again.",
        default=True,
        synonyms=("active",),
    ),
)


class UserRecords:
    """The four functions over the users' service; what they change is audited there."""

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """The user of this name."""
        _check_right(acting.actor)
        user = service.find_user(session, text_in(values, "name"))
        return None if user is None else _record(user)

    def count(self, session: Session, *, acting: Acting) -> int:
        """How many users there are."""
        _check_right(acting.actor)
        return session.scalar(select(func.count()).select_from(User)) or 0

    def create(self, session: Session, values: Values, *, acting: Acting) -> Record:
        """Make a user without a password."""
        self.check(session, Mode.CREATE, None, values, acting=acting)
        with row_refused(field="name"):
            user = service.create_user(
                session,
                actor=acting.actor,
                name=text_in(values, "name"),
                roles=_roles(values),
                password=None,
                now=acting.now,
                display_name=text_in(values, "display_name"),
                email=text_in(values, "email"),
                enabled=_enabled(values),
            )
        return _record(user)

    def update(self, session: Session, record: Record, values: Values, *, acting: Acting) -> Record:
        """Change details, roles and state; the name stays."""
        self.check(session, Mode.UPDATE, record, values, acting=acting)
        user = _stored(session, record, missing=NO_UPDATE)
        wanted = _record(user).values | values
        _set_details(session, user, wanted, acting)
        _set_roles(session, user, wanted, acting)
        _set_enabled(session, user, wanted, acting)
        return _record(user)

    def remove(self, session: Session, record: Record, *, acting: Acting) -> None:
        """Remove a user who has left no trace."""
        _check_right(acting.actor)
        user = _stored(session, record, missing=NO_REMOVE)
        with row_refused():
            remove_unused_user(session, user, actor=acting.actor, now=acting.now)

    def check(
        self,
        session: Session,
        mode: Mode,
        record: Record | None,
        values: Values,
        *,
        acting: Acting,
    ) -> None:
        """Refuse what the requester may not do or give, and what takes the last admin away."""
        _check_right(acting.actor)
        if record is None:
            with row_refused(field="name"):
                clean_name(text_in(values, "name"))
            _check_given(acting.actor, _roles(values))
        elif mode is Mode.UPDATE:
            _check_update(session, _stored(session, record, missing=NO_UPDATE), values, acting)
        elif mode is Mode.REMOVE:
            with row_refused():
                check_removable(session, _stored(session, record, missing=NO_REMOVE))


def _check_update(session: Session, user: User, values: Values, acting: Acting) -> None:
    wanted = _record(user).values | values
    before, after = {Role(row.role) for row in user.roles}, _roles(wanted)
    returns = _enabled(wanted) and not user.enabled  # who is let in again gets all his roles anew
    _check_given(acting.actor, after if returns else after - before)
    if is_admin(user) and not (_enabled(wanted) and Role.ADMIN in after):
        with row_refused(field="roles" if _enabled(wanted) else "enabled"):
            service.keep_an_admin(session, user)


def _set_details(session: Session, user: User, wanted: Values, acting: Acting) -> None:
    with row_refused():
        service.set_details(
            session,
            user,
            actor=acting.actor,
            display_name=text_in(wanted, "display_name"),
            email=text_in(wanted, "email"),
            now=acting.now,
        )


def _set_roles(session: Session, user: User, wanted: Values, acting: Acting) -> None:
    roles = _roles(wanted)
    with row_refused(field="roles"):
        service.set_roles(session, user, actor=acting.actor, roles=roles, now=acting.now)


def _set_enabled(session: Session, user: User, wanted: Values, acting: Acting) -> None:
    change = service.enable_user if _enabled(wanted) else service.disable_user
    with row_refused(field="enabled"):
        change(session, user, actor=acting.actor, now=acting.now)


def _check_right(actor: Actor) -> None:
    if not actor.may(Permission.USERS_MANAGE):
        raise RefusedRowError("Only administrators may change users; ask one.")


def _check_given(actor: Actor, roles: set[Role]) -> None:
    refused = sorted(role for role in roles if not actor.may_give(role))
    if refused:
        names = ", ".join(refused)
        raise RefusedRowError(f"You may not give more rights than you have: {names}", field="roles")


def _stored(session: Session, record: Record, *, missing: str) -> User:
    user = session.get(User, int(record.key))
    if user is None:
        raise RefusedRowError(missing)
    return user


def _record(user: User) -> Record:
    return Record(
        key=str(user.id),
        values={
            "name": user.name,
            "display_name": user.display_name or None,
            "email": user.email or None,
            "roles": tuple(sorted(row.role for row in user.roles)),
            "enabled": user.enabled,
        },
    )


def _roles(values: Values) -> set[Role]:
    given = values.get("roles") or ()
    names = given if isinstance(given, tuple) else (str(given),)
    try:
        return {Role(name) for name in names}
    except ValueError:
        unknown = next(name for name in names if name not in set(Role))
        raise RefusedRowError(f"There is no role {unknown!r}.", field="roles") from None


def _enabled(values: Values) -> bool:
    return values.get("enabled") is not False


USERS = Processor(
    name="users",
    title="Users",
    help=HELP,
    fields=FIELDS,
    identities=(("name",),),
    modes=tuple(Mode),
    records=UserRecords(),
    permission=Permission.USERS_MANAGE,
)
