"""Pages: finding, listing and writing them. Every write makes a version. Services flush."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.files import safe_name
from portal.projects.markup import TITLE_CHARS, title_of
from portal.projects.models import PageFormat, PageVersion, ProjectPage
from portal.projects.rights import Right
from portal.projects.service import get_standing, record_change

NAME_BYTES = 850
SUFFIX_BYTES = 10
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
    title: str | None = None,
    file_name: str | None = None,
    based_on: int | None = None,
    comment: str = "",
    address: str = "",
) -> ProjectPage:
    """Make the page or a new version of it.

    The title is found in `source` unless it is given. With `based_on`, raises ConflictError where
    the page has moved on from that version. Raises NotFoundError, ForbiddenError, InvalidError.
    """
    get_standing(session, actor=actor, project_id=project_id, right=Right.EDIT)
    checked, title = checked_page_name(name), checked_title(title or "")
    title = title or title_of(checked_source(source), page_format=page_format)
    page = find_page(session, project_id=project_id, name=checked)
    if page is None:
        page = _new_page(project_id, checked, page_format)
        session.add(page)
    else:
        _raise_version(session, page, based_on)
    page.title = title or checked.rpartition("/")[2]
    page.format, page.source = page_format, source
    page.file_name = page.file_name if file_name is None else checked_file_name(file_name)
    page.updated_at, page.updated_by = now, actor.user_id
    session.flush()
    session.add(_version(page, written_by=actor.name, comment=comment[:255]))
    _record(session, page, "project.page.write", actor=actor, now=now, address=address)
    return page


def remove_page(
    session: Session,
    *,
    actor: Actor,
    project_id: str,
    name: str,
    now: datetime,
    address: str = "",
) -> None:
    """Remove a page with its versions; who wrote its only version may take it back himself.

    Raises NotFoundError, and ForbiddenError where it takes a ProjectAdmin.
    """
    get_standing(session, actor=actor, project_id=project_id, right=Right.EDIT)
    page = get_page(session, project_id=project_id, name=name)
    session.refresh(page, with_for_update=True)
    check_removable(session, page, actor=actor)
    session.delete(page)
    _record(session, page, "project.page.remove", actor=actor, now=now, address=address)


def check_removable(session: Session, page: ProjectPage, *, actor: Actor) -> None:
    """Raise NotFoundError or ForbiddenError where `actor` may not remove the page."""
    own = page.version == 1 and page.updated_by == actor.user_id
    for right in (Right.EDIT,) if own else (Right.EDIT, Right.MANAGE):  # the first reason is said
        get_standing(session, actor=actor, project_id=page.project_id, right=right)


def checked_source(source: str) -> str:
    """Return `source` if a page can have it; raise InvalidError otherwise."""
    if len(_encoded(source)) > SOURCE_BYTES:
        raise InvalidError(f"A page holds at most {SOURCE_BYTES // 1_000_000} MB of text.")
    return source


def checked_title(title: str) -> str:
    """Return `title` if a page can have it, or no title of its own; raise InvalidError."""
    if len(title) > TITLE_CHARS or len(title.splitlines()) > 1:
        raise InvalidError(f"A page's title is one line of at most {TITLE_CHARS} characters.")
    _encoded(title)
    return title


def _encoded(text: str) -> bytes:
    """`text` in UTF-8; raises InvalidError for what PostgreSQL cannot keep."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise InvalidError("The text has a character that cannot be kept; leave it out.")
    return encoded


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


def checked_file_name(file_name: str) -> str:
    """Return what a page was loaded from in NFC, if links can find it; raise InvalidError."""
    checked = "/".join(safe_name(part) for part in file_name.strip("/").split("/"))
    if len(checked.encode()) > NAME_BYTES + SUFFIX_BYTES:
        raise InvalidError(f"A page's file name has at most {NAME_BYTES + SUFFIX_BYTES} bytes.")
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


def _record(
    session: Session, page: ProjectPage, action: str, *, actor: Actor, now: datetime, address: str
) -> None:
    record_change(
        session,
        actor=actor,
        action=action,
        project_id=page.project_id,
        now=now,
        address=address,
        detail={"page": page.name, "version": page.version},
    )
    session.flush()
