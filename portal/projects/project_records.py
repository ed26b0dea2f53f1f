"""Projects as records: id, title, policy, and whose they are."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.service import find_user, get_user
from portal.projects.models import Policy, Project
from portal.projects.owners import check_owner, create_project_for, set_owner
from portal.projects.removal import check_empty, remove_empty_project
from portal.projects.rights import Right
from portal.projects.service import (
    TITLE_LENGTH,
    change_settings,
    check_new_project,
    checked_title,
    count_projects,
    find_standing,
    get_standing,
)
from portal.projects.suggestions import suggest_users
from portal.rows.processors import Acting, Mode, Processor, Record, RefusedRowError
from portal.rows.refusals import NO_REMOVE, NO_UPDATE, row_refused
from portal.rows.values import named_in, text_in
from portal.tabular.fields import Choice, Field, FieldType, Values

FIELDS = (
    Field(
        name="id",
        title="Id",
        help="Small letters, digits, dots, hyphens and underscores; it never changes.",
        required=True,
        synonyms=("project", "project id"),
        max_length=100,
    ),
    Field(
        name="title",
        title="Title",
        help="How people read the project; the id, if none is given.",
        synonyms=("name", "project title"),
        max_length=TITLE_LENGTH,
    ),
    Field(
        name="policy",
        type=FieldType.CHOICE,
        title="Policy",
        help="Who sees and edits: open all who sign in, medium all and members, closed members.",
        default=str(Policy.MEDIUM),
        choices=tuple(Choice(value=str(policy)) for policy in Policy),
        synonyms=("access",),
    ),
    Field(
        name="owner",
        type=FieldType.REFERENCE,
        title="Owner",
        help=(
            "The user whose project it is: you, if nobody is named. A new project has its owner "
            "as ProjectAdmin; naming another owner later changes nobody's role. It takes who "
            "manages all projects to name somebody else."
        ),
        synonyms=("created by", "user"),
    ),
)


class ProjectRecords:
    """The four functions over the projects' services."""

    def suggest(
        self, session: Session, _field: str, text: str, *, acting: Acting
    ) -> Sequence[Choice]:
        """Users who could be the owner."""
        return suggest_users(session, text, acting=acting)

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """The project with this id, if the requester may see it."""
        project = _seen(session, text_in(values, "id"), acting)
        return None if project is None else _record(session, project)

    def count(self, session: Session, *, acting: Acting) -> int:
        """How many projects the requester may see."""
        return count_projects(session, acting.actor)

    def create(self, session: Session, values: Values, *, acting: Acting) -> Record:
        """Make an empty project."""
        self.check(session, Mode.CREATE, None, values, acting=acting)
        project_id, policy = text_in(values, "id"), _policy(values)
        owner = _owner(session, values, acting)
        with row_refused():
            project = create_project_for(
                session,
                actor=acting.actor,
                owner=owner,
                project_id=project_id,
                title=text_in(values, "title") or project_id,
                policy=policy,
                now=acting.now,
            )
        return _record(session, project)

    def update(self, session: Session, record: Record, values: Values, *, acting: Acting) -> Record:
        """Change title, policy and owner; the id stays."""
        self.check(session, Mode.UPDATE, record, values, acting=acting)
        project = _stored(session, record, acting, missing=NO_UPDATE)
        before = _record(session, project).values
        wanted = before | values
        if any(before[name] != wanted[name] for name in ("title", "policy")):
            _change_settings(session, project, wanted, acting)
        if before["owner"] != wanted["owner"]:
            _change_owner(session, project, wanted, acting)
        return _record(session, project)

    def remove(self, session: Session, record: Record, *, acting: Acting) -> None:
        """Remove an empty project."""
        _stored(session, record, acting, missing=NO_REMOVE)
        with row_refused():
            remove_empty_project(session, actor=acting.actor, project_id=record.key, now=acting.now)

    def check(
        self,
        session: Session,
        mode: Mode,
        record: Record | None,
        values: Values,
        *,
        acting: Acting,
    ) -> None:
        """Refuse what the requester may not do, and what a project cannot be."""
        if record is None:
            _check_new(session, values, acting)
        elif mode is Mode.UPDATE:
            _check_update(
                session, _stored(session, record, acting, missing=NO_UPDATE), values, acting
            )
        elif mode is Mode.REMOVE:
            _stored(session, record, acting, missing=NO_REMOVE)
            with row_refused():
                check_empty(session, actor=acting.actor, project_id=record.key)


def _check_new(session: Session, values: Values, acting: Acting) -> None:
    with row_refused(field="id"):
        check_new_project(session, actor=acting.actor, project_id=text_in(values, "id"))
    with row_refused(field="title"):
        checked_title(text_in(values, "title") or text_in(values, "id"))
    _policy(values)
    owner = _owner(session, values, acting)
    with row_refused(field="owner"):
        check_owner(acting.actor, before=acting.actor.user_id, owner=owner)


def _check_update(session: Session, project: Project, values: Values, acting: Acting) -> None:
    before = _record(session, project).values
    wanted = before | values
    _policy(wanted)
    with row_refused(field="title"):
        get_standing(session, actor=acting.actor, project_id=project.id, right=Right.MANAGE)
        checked_title(text_in(wanted, "title"))
    if before["owner"] != wanted["owner"]:
        owner = _owner(session, wanted, acting)
        with row_refused(field="owner"):
            check_owner(acting.actor, before=project.created_by, owner=owner)


def _change_settings(session: Session, project: Project, wanted: Values, acting: Acting) -> None:
    policy = _policy(wanted)
    with row_refused(field="title"):
        change_settings(
            session,
            actor=acting.actor,
            project_id=project.id,
            title=text_in(wanted, "title"),
            policy=policy,
            now=acting.now,
        )


def _change_owner(session: Session, project: Project, wanted: Values, acting: Acting) -> None:
    owner = _owner(session, wanted, acting)
    with row_refused(field="owner"):
        set_owner(session, actor=acting.actor, project_id=project.id, owner=owner, now=acting.now)


def _owner(session: Session, values: Values, acting: Acting) -> User | None:
    """Who is named; nobody where that is cleared; the requester where nothing is said."""
    if "owner" not in values:
        actor_id = acting.actor.user_id
        return None if actor_id is None else get_user(session, actor_id)
    name = text_in(values, "owner")
    owner = find_user(session, name) if name else None
    if name and owner is None:
        raise RefusedRowError(f"There is no user called {name!r}.", field="owner")
    return owner


def _policy(values: Values) -> Policy:
    return named_in(values, "policy", Policy, default=Policy.MEDIUM)


def _stored(session: Session, record: Record, acting: Acting, *, missing: str) -> Project:
    project = _seen(session, record.key, acting)
    if project is None:
        raise RefusedRowError(missing)
    return project


def _seen(session: Session, project_id: str, acting: Acting) -> Project | None:
    standing = find_standing(session, actor=acting.actor, project_id=project_id)
    return standing.project if standing is not None and standing.may(Right.VIEW) else None


def _record(session: Session, project: Project) -> Record:
    return Record(
        key=project.id,
        values={
            "id": project.id,
            "title": project.title,
            "policy": str(project.policy),
            "owner": _name(session, project.created_by),
        },
    )


def _name(session: Session, user_id: int | None) -> str | None:
    user = None if user_id is None else session.get(User, user_id)
    return None if user is None else user.name


PROJECTS = Processor(
    name="projects",
    title="Projects",
    help=(
        "Projects by their ids; each row takes a ProjectAdmin of its project. Remove takes only a "
        "project that holds nothing: no pages, files and exports, and no member but its owner."
    ),
    fields=FIELDS,
    identities=(("id",),),
    modes=tuple(Mode),
    records=ProjectRecords(),
)
