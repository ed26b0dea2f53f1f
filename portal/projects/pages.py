"""Pages: finding, listing and writing them. Every write makes a version. Services flush."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.files import safe_name
from portal.projects.markup import title_of
from portal.projects.models import PageFormat, PageVersion, ProjectPage
from portal.projects.rights import Right
from portal.projects.service import get_standing, record_change

NAME_BYTES = 850
SOURCE_BYTES = 8_000_000
SUFFIX = {PageFormat.HTML: ".html", PageFormat.MARKDOWN: ".md"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLine:
    """A page as a list shows it."""

    name: str
    title: str
    format: str
    version: int
    updated_at: datetime


def name_key(name: str) -> str:
    """What two names must not share in a project: NFC without regard to case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def find_page(session: Session, *, project_id: str, name: str) -> ProjectPage | None:
    """The page with this name, whatever the case; the caller has checked the right."""
    return session.scalar(
        select(ProjectPage).where(
            ProjectPage.project_id == project_id, ProjectPage.name_key == name_key(name)
        )
    )


def get_page(session: Session, *, project_id: str, name: str) -> ProjectPage:
    """The page with this name; raises NotFoundError."""
    page = find_page(session, project_id=project_id, name=name)
    if page is None:
        raise NotFoundError(f"There is no page {name!r} in this project.")
    return page


def list_pages(
    session: Session, *, project_id: str, text: str = "", after: str = "", limit: int = 100
) -> list[PageLine]:
    """Pages by name, those after the name `after`; `text` is in the name or title."""
    query = (
        select(
            ProjectPage.name,
            ProjectPage.title,
            ProjectPage.format,
            ProjectPage.version,
            ProjectPage.updated_at,
        )
        .where(ProjectPage.project_id == project_id, ProjectPage.name_key > name_key(after))
        .order_by(ProjectPage.name_key)
        .limit(limit)
    )
    if text:
        query = query.where(
            ProjectPage.name_key.contains(name_key(text), autoescape=True)
            | ProjectPage.title.icontains(text, autoescape=True)
        )
    return [PageLine(**row) for row in session.execute(query).mappings()]


def count_pages(session: Session, project_id: str) -> int:
    """How many pages the project has."""
    query = select(func.count()).where(ProjectPage.project_id == project_id)
    return session.scalar(query) or 0


def write_page(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    name: str,
    source: str,
    page_format: PageFormat,
    now: datetime,
    based_on: int | None = None,
    comment: str = "",
    address: str = "",
) -> ProjectPage:
    """Make the page or a new version of it.

    With `based_on`, raises ConflictError where the page has moved on from that version. Raises
    NotFoundError, ForbiddenError, InvalidError.
    """
    get_standing(session, actor=actor, project_id=project_id, right=Right.EDIT)
    checked = checked_page_name(name)
    if len(source.encode()) > SOURCE_BYTES:
        raise InvalidError(f"A page holds at most {SOURCE_BYTES // 1_000_000} MB of text.")
    page = find_page(session, project_id=project_id, name=checked)
    title = title_of(source, page_format=page_format) or checked.rpartition("/")[2]
    if page is None:
        page = _new_page(project_id, checked, page_format)
        session.add(page)
    else:
        _raise_version(session, page, based_on)
    page.title, page.format, page.source = title, page_format, source
    page.updated_at, page.updated_by = now, actor.user_id
    session.flush()
    session.add(_version(page, written_by=actor.name, comment=comment[:255]))
    record_change(
        session,
        actor=actor,
        action="project.page.write",
        project_id=project_id,
        now=now,
        address=address,
        detail={"page": checked, "version": page.version},
    )
    session.flush()
    return page


def _new_page(project_id: str, name: str, page_format: PageFormat) -> ProjectPage:
    return ProjectPage(
        project_id=project_id,
        name=name,
        name_key=name_key(name),
        file_name=name + SUFFIX[page_format],
        version=1,
    )


def checked_page_name(name: str) -> str:
    """Return `name` in NFC if a page can have it; raise InvalidError otherwise."""
    parts = [safe_name(part) for part in name.strip("/").split("/")]
    checked = "/".join(parts)
    if len(checked.encode()) > NAME_BYTES:
        raise InvalidError(f"A page's name has at most {NAME_BYTES} bytes.")
    return checked


def _raise_version(session: Session, page: ProjectPage, based_on: int | None) -> None:
    """Count the version up in the database, so that two writers cannot make the same one."""
    expected = page.version if based_on is None else based_on
    statement = (
        update(ProjectPage)
        .where(ProjectPage.id == page.id, ProjectPage.version == expected)
        .values(version=expected + 1)
        .returning(ProjectPage.version)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).one_or_none() is None:
        raise ConflictError("Somebody else changed this page meanwhile; look at it again.")
    session.refresh(page)


def _version(page: ProjectPage, *, written_by: str, comment: str) -> PageVersion:
    return PageVersion(
        page_id=page.id,
        number=page.version,
        title=page.title,
        format=page.format,
        source=page.source,
        written_at=page.updated_at,
        written_by=written_by,
        comment=comment,
    )
