"""Members as records: who is what in which project."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.service import find_user
from portal.projects.members import check_not_last, remove_member, set_member
from portal.projects.models import ProjectMember, ProjectRole
from portal.projects.rights import Right
from portal.projects.service import get_standing, has_right
from portal.projects.sight import visible_ids
from portal.projects.suggestions import suggest_projects, suggest_users
from portal.rows.processors import Acting, Mode, Processor, Record, RefusedRowError
from portal.rows.refusals import NO_REMOVE, NO_UPDATE, PARENTS, row_refused
from portal.rows.values import named_in, text_in
from portal.tabular.fields import Choice, Field, FieldType, Values

FIELDS = (
    Field(
        name="project",
        type=FieldType.REFERENCE,
        title="Project",
        help="The project's id.",
        required=True,
        synonyms=("project id",),
    ),
    Field(
        name="user",
        type=FieldType.REFERENCE,
        title="User",
        help="The user's name; case makes no difference.",
        required=True,
        synonyms=("user name", "member", "name"),
    ),
    Field(
        name="role",
        type=FieldType.CHOICE,
        title="Role",
        help="A ProjectAdmin exports the project and changes its members; one always stays.",
        default=str(ProjectRole.MEMBER),
        choices=tuple(Choice(value=str(role)) for role in ProjectRole),
    ),
)


class MemberRecords:
    """The four functions over the members' service, by which each change is audited."""

    def suggest(
        self, session: Session, field: str, text: str, *, acting: Acting
    ) -> Sequence[Choice]:
        """Projects and users that could be meant."""
        ask = suggest_projects if field == "project" else suggest_users
        return ask(session, text, acting=acting)

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """This user in this project, if the requester may see the project."""
        project_id = text_in(values, "project")
        user = find_user(session, text_in(values, "user"))
        if user is None or not _may_see(session, project_id, acting):
            return None
        return _found(session, project_id, user)

    def count(self, session: Session, *, acting: Acting) -> int:
        """How many members the projects have that the requester may see."""
        seen = ProjectMember.project_id.in_(visible_ids(acting.actor))
        return session.scalar(select(func.count()).select_from(ProjectMember).where(seen)) or 0

    def create(self, session: Session, values: Values, *, acting: Acting) -> Record:
        """Let a user into a project."""
        self.check(session, Mode.CREATE, None, values, acting=acting)
        project_id, user = _parents(session, values, acting)
        return _set(session, project_id, user, _role(values), acting)

    def update(self, session: Session, record: Record, values: Values, *, acting: Acting) -> Record:
        """Give a member another role."""
        self.check(session, Mode.UPDATE, record, values, acting=acting)
        project_id, user = _stored(session, record, acting, missing=NO_UPDATE)
        return _set(session, project_id, user, _role(record.values | values), acting)

    def remove(self, session: Session, record: Record, *, acting: Acting) -> None:
        """Take a member out of the project."""
        project_id, user = _stored(session, record, acting, missing=NO_REMOVE)
        with row_refused():
            remove_member(
                session,
                actor=acting.actor,
                project_id=project_id,
                name=user.name,
                now=acting.now,
            )

    def check(
        self,
        session: Session,
        mode: Mode,
        record: Record | None,
        values: Values,
        *,
        acting: Acting,
    ) -> None:
        """Refuse what the requester may not do, and a project without an admin."""
        if record is None:
            project_id, _user = _parents(session, values, acting)
            _role(values)
            _check_right(session, project_id, acting)
            return
        missing = NO_REMOVE if mode is Mode.REMOVE else NO_UPDATE
        project_id, user = _stored(session, record, acting, missing=missing)
        _check_right(session, project_id, acting)
        if mode is Mode.REMOVE or _role(record.values | values) is not ProjectRole.ADMIN:
            _check_not_last(session, project_id, user, field="" if mode is Mode.REMOVE else "role")


def _parents(session: Session, values: Values, acting: Acting) -> tuple[str, User]:
    project_id, name = text_in(values, "project"), text_in(values, "user")
    if not _may_see(session, project_id, acting):
        raise RefusedRowError(PARENTS, field="project")
    user = find_user(session, name)
    if user is None:
        raise RefusedRowError(f"There is no user called {name!r}.", field="user")
    return project_id, user


def _check_right(session: Session, project_id: str, acting: Acting) -> None:
    with row_refused():
        get_standing(session, actor=acting.actor, project_id=project_id, right=Right.MANAGE)


def _check_not_last(session: Session, project_id: str, user: User, *, field: str) -> None:
    member = session.get(ProjectMember, (project_id, user.id))
    if member is not None:
        with row_refused(field=field):
            check_not_last(session, member, user.name)


def _set(
    session: Session, project_id: str, user: User, role: ProjectRole, acting: Acting
) -> Record:
    with row_refused(field="role"):
        set_member(
            session,
            actor=acting.actor,
            project_id=project_id,
            name=user.name,
            role=role,
            now=acting.now,
        )
    return _record(project_id, user, role)


def _stored(session: Session, record: Record, acting: Acting, *, missing: str) -> tuple[str, User]:
    project_id, _, user_id = record.key.rpartition("/")
    user = session.get(User, int(user_id))
    if user is None or not _may_see(session, project_id, acting):
        raise RefusedRowError(missing)
    if _found(session, project_id, user) is None:
        raise RefusedRowError(missing)
    return project_id, user


def _found(session: Session, project_id: str, user: User) -> Record | None:
    member = session.get(ProjectMember, (project_id, user.id))
    return None if member is None else _record(project_id, user, ProjectRole(member.role))


def _record(project_id: str, user: User, role: ProjectRole) -> Record:
    return Record(
        key=f"{project_id}/{user.id}",
        values={"project": project_id, "user": user.name, "role": str(role)},
    )


def _may_see(session: Session, project_id: str, acting: Acting) -> bool:
    return has_right(session, actor=acting.actor, project_id=project_id, right=Right.VIEW)


def _role(values: Values) -> ProjectRole:
    return named_in(values, "role", ProjectRole, default=ProjectRole.MEMBER)


MEMBERS = Processor(
    name="members",
    title="Members of projects",
    help=(
        "Who belongs to which project, and as what; each row takes a ProjectAdmin of its project. "
        "The last ProjectAdmin can neither be removed nor become a mere member."
    ),
    fields=FIELDS,
    identities=(("project", "user"),),
    modes=tuple(Mode),
    records=MemberRecords(),
)
