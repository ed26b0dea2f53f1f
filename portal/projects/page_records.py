"""Pages as records: their place, title, format and text."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.projects.markup import TITLE_CHARS
from portal.projects.models import PageFormat, ProjectPage
from portal.projects.pages import (
    SUFFIX,
    check_removable,
    checked_file_name,
    checked_page_name,
    checked_source,
    checked_title,
    find_page,
    remove_page,
    write_page,
)
from portal.projects.rights import Right
from portal.projects.service import get_standing, has_right
from portal.projects.sight import visible_ids
from portal.projects.suggestions import suggest_projects
from portal.rows.processors import Acting, Mode, Processor, Record, RefusedRowError
from portal.rows.refusals import EXISTS, NO_REMOVE, NO_UPDATE, PARENTS, row_refused
from portal.rows.values import named_in, text_in
from portal.tabular.fields import Choice, Field, FieldType, Values

COMMENT = "Changed by a batch"
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
        name="name",
        title="Name",
        help="The page's path in the project, such as guide/first-steps; it never changes.",
        required=True,
        synonyms=("page", "path"),
    ),
    Field(
        name="title",
        title="Title",
        help="One line; found in a new page's text, if none is given.",
        max_length=TITLE_CHARS,
    ),
    Field(
        name="format",
        type=FieldType.CHOICE,
        title="Format",
        help="How the text is written.",
        default=str(PageFormat.MARKDOWN),
        choices=tuple(Choice(value=str(known)) for known in PageFormat),
        synonyms=("type",),
    ),
    Field(
        name="file_name",
        title="File name",
        help="The name by which links of other pages may find it; the name with .md or .html.",
        synonyms=("file name", "file"),
    ),
    Field(
        name="text",
        title="Text",
        help="The whole text of the page, up to 8 MB.",
        synonyms=("source", "content", "body"),
    ),
)


class PageRecords:
    """The four functions over the pages' service, by which each change is audited."""

    def suggest(
        self, session: Session, _field: str, text: str, *, acting: Acting
    ) -> Sequence[Choice]:
        """Projects that could be meant."""
        return suggest_projects(session, text, acting=acting)

    def find(self, session: Session, values: Values, *, acting: Acting) -> Record | None:
        """The page of this name, if the requester may see the project."""
        project_id = text_in(values, "project")
        if not _may_see(session, project_id, acting):
            return None
        page = find_page(session, project_id=project_id, name=_name(values))
        return None if page is None else _record(page)

    def count(self, session: Session, *, acting: Acting) -> int:
        """How many pages the projects have that the requester may see."""
        seen = ProjectPage.project_id.in_(visible_ids(acting.actor))
        return session.scalar(select(func.count()).select_from(ProjectPage).where(seen)) or 0

    def create(self, session: Session, values: Values, *, acting: Acting) -> Record:
        """Write a new page."""
        self.check(session, Mode.CREATE, None, values, acting=acting)
        return _write(session, values, acting)

    def update(self, session: Session, record: Record, values: Values, *, acting: Acting) -> Record:
        """Write the page's next version; project and name stay."""
        self.check(session, Mode.UPDATE, record, values, acting=acting)
        page = _stored(session, record, acting, missing=NO_UPDATE)
        return _write(session, _wanted(page, values), acting)

    def remove(self, session: Session, record: Record, *, acting: Acting) -> None:
        """Remove the page with its versions."""
        page = _stored(session, record, acting, missing=NO_REMOVE)
        with row_refused():
            remove_page(
                session,
                actor=acting.actor,
                project_id=page.project_id,
                name=page.name,
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
        """Refuse what the requester may not do, and what a page cannot be."""
        if record is None:
            _check_new(session, values, acting)
        elif mode is Mode.UPDATE:
            page = _stored(session, record, acting, missing=NO_UPDATE)
            _check_written(session, _wanted(page, values), acting)
        elif mode is Mode.REMOVE:
            page = _stored(session, record, acting, missing=NO_REMOVE)
            with row_refused():
                check_removable(session, page, actor=acting.actor)


def _check_new(session: Session, values: Values, acting: Acting) -> None:
    project_id = text_in(values, "project")
    if not _may_see(session, project_id, acting):
        raise RefusedRowError(PARENTS, field="project")
    if find_page(session, project_id=project_id, name=_name(values)) is not None:
        raise RefusedRowError(EXISTS)
    _check_written(session, values, acting)


def _check_written(session: Session, values: Values, acting: Acting) -> None:
    project_id = text_in(values, "project")
    with row_refused(field="name"):
        get_standing(session, actor=acting.actor, project_id=project_id, right=Right.EDIT)
        checked_page_name(_name(values))
    _format(values)
    with row_refused(field="title"):
        checked_title(text_in(values, "title"))
    with row_refused(field="file_name"):
        checked_file_name(_file_name(values))
    with row_refused(field="text"):
        checked_source(text_in(values, "text"))


def _wanted(page: ProjectPage, values: Values) -> Values:
    """What the page shall be; project and name stay."""
    return _record(page).values | values | {"project": page.project_id, "name": page.name}


def _write(session: Session, values: Values, acting: Acting) -> Record:
    with row_refused():
        page = write_page(
            session,
            actor=acting.actor,
            project_id=text_in(values, "project"),
            name=_name(values),
            source=text_in(values, "text"),
            page_format=_format(values),
            now=acting.now,
            title=text_in(values, "title") or None,
            file_name=_file_name(values),
            comment=COMMENT,
        )
    return _record(page)


def _stored(session: Session, record: Record, acting: Acting, *, missing: str) -> ProjectPage:
    page = session.get(ProjectPage, int(record.key))
    if page is None or not _may_see(session, page.project_id, acting):
        raise RefusedRowError(missing)
    return page


def _record(page: ProjectPage) -> Record:
    return Record(
        key=str(page.id),
        values={
            "project": page.project_id,
            "name": page.name,
            "title": page.title,
            "format": str(page.format),
            "file_name": page.file_name,
            "text": page.source or None,
        },
    )


def _name(values: Values) -> str:
    return text_in(values, "name").strip("/")


def _format(values: Values) -> PageFormat:
    return named_in(values, "format", PageFormat, default=PageFormat.MARKDOWN)


def _file_name(values: Values) -> str:
    return text_in(values, "file_name") or _name(values) + SUFFIX[_format(values)]


def _may_see(session: Session, project_id: str, acting: Acting) -> bool:
    return has_right(session, actor=acting.actor, project_id=project_id, right=Right.VIEW)


PAGES = Processor(
    name="pages",
    title="Pages of projects",
    help=(
        "The pages of projects; each row takes the right to edit its project. Every change makes "
        "a version. Remove takes a page with all its versions, which needs a ProjectAdmin unless "
        "you wrote the only one; what can be restored is the newest."
    ),
    fields=FIELDS,
    identities=(("project", "name"),),
    modes=tuple(Mode),
    records=PageRecords(),
)
