"""Writing what a load brings, at most 500 rows at once, and taking it back on failure."""

import mimetypes
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.files import fsync_folder, private_folder
from portal.projects.folders import Found, Tree
from portal.projects.load_compare import batched, read_page
from portal.projects.load_plan import PlannedPage
from portal.projects.markup import title_of
from portal.projects.models import PageVersion, Project, ProjectFile, ProjectPage
from portal.projects.pages import name_key
from portal.projects.storage import keep, project_folder
from portal.runtime import Runtime

PAGES_AT_ONCE = 100  # two rows each
FILES_AT_ONCE = 200
BYTES_AT_ONCE = 1_000_000  # of page sources in one transaction
REMOVED_AT_ONCE = 50  # pages; their versions go with them
TOUCH_SECONDS = 30.0
OCTETS = "application/octet-stream"

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Undo:
    """What a load did so far: rows it made, and what it changed as it was before."""

    pages: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    changed_pages: list[Values] = field(default_factory=list)
    changed_files: list[Values] = field(default_factory=list)


class LoadWriting:
    """Writes pages and files of one load; `told` hears of each, `undo` is the way back."""

    def __init__(
        self,
        runtime: Runtime,
        tree: Tree,
        *,
        project_id: str,
        actor: Actor,
        comment: str,
        told: Callable[[int], None],
    ) -> None:
        self.undo = Undo()
        self._runtime, self._tree, self._told = runtime, tree, told
        self._id, self._actor, self._comment = project_id, actor, comment
        self._touched_at = time.monotonic()

    def files(self, files: Mapping[str, Found], *, known: bool) -> None:
        """Copy files and write their rows; `known` ones replace rows of the same path."""
        folder = private_folder(project_folder(self._runtime.settings, self._id))
        for batch in batched(files.items(), FILES_AT_ONCE):
            values = [self._kept(path, found) for path, found in batch]
            fsync_folder(folder)
            with self._runtime.sessions.begin() as session:
                self._change_files(session, values) if known else self._add_files(session, values)
                self._touch(session)

    def pages(self, pages: Iterable[PlannedPage], *, known: bool) -> None:
        """Write pages with a version each; `known` ones get their next version."""
        for batch in _in_bytes(batched(pages, PAGES_AT_ONCE)):
            values = [self._written(page) for page in batch]
            with self._runtime.sessions.begin() as session:
                self._change_pages(session, values) if known else self._add_pages(session, values)
                self._touch(session)

    def heed(self) -> None:
        """While a long file is copied, show now and then that the load goes on."""
        if time.monotonic() - self._touched_at >= TOUCH_SECONDS:
            with self._runtime.sessions.begin() as session:
                self._touch(session)

    def _touch(self, session: Session) -> None:
        self._touched_at = time.monotonic()
        session.execute(
            update(Project)
            .where(Project.id == self._id, Project.loading_at.is_not(None))
            .values(loading_at=self._runtime.clock())
        )

    def _kept(self, path: str, found: Found) -> Values:
        handle_folder = project_folder(self._runtime.settings, self._id)
        with open(self._tree.open(found), "rb", buffering=0) as stream:  # noqa: PTH123 (a descriptor)
            kept = keep(stream.fileno(), folder=handle_folder, checkpoint=self.heed)
        self._told(found.size)
        return {
            "project_id": self._id,
            "path": path,
            "path_key": path,
            "stored": kept.stored,
            "size": kept.size,
            "sha256": kept.sha256,
            "media_type": mimetypes.guess_type(path)[0] or OCTETS,
            "updated_at": self._runtime.clock(),
        }

    def _written(self, page: PlannedPage) -> Values:
        source = read_page(self._tree, page.found)
        self._told(page.found.size)
        title = title_of(source, page_format=page.format)
        return {
            "project_id": self._id,
            "name": page.name,
            "name_key": name_key(page.name),
            "file_name": page.found.path,
            "title": title or page.name.rpartition("/")[2][:512],
            "format": page.format,
            "source": source,
            "version": 1,
            "updated_at": self._runtime.clock(),
            "updated_by": self._actor.user_id,
        }

    def _add_files(self, session: Session, values: list[Values]) -> None:
        made = session.scalars(insert(ProjectFile).returning(ProjectFile.id), values)
        self.undo.files.extend(made)

    def _change_files(self, session: Session, values: list[Values]) -> None:
        before = _rows(session, ProjectFile, self._id, "path_key", values)
        self.undo.changed_files.extend(before.values())
        session.execute(
            update(ProjectFile), [{"id": before[new["path_key"]]["id"]} | new for new in values]
        )

    def _add_pages(self, session: Session, values: list[Values]) -> None:
        ids = session.scalars(
            insert(ProjectPage).returning(ProjectPage.id, sort_by_parameter_order=True), values
        ).all()
        self.undo.pages.extend(ids)
        self._add_versions(
            session, [{"id": page_id} | new for page_id, new in zip(ids, values, strict=True)]
        )

    def _change_pages(self, session: Session, values: list[Values]) -> None:
        before = _rows(session, ProjectPage, self._id, "name_key", values)
        self.undo.changed_pages.extend(before.values())
        changed = [
            new | {"id": before[key]["id"], "version": before[key]["version"] + 1}
            for new in values
            if (key := new["name_key"])
        ]
        session.execute(update(ProjectPage), changed)
        self._add_versions(session, changed)

    def _add_versions(self, session: Session, pages: list[Values]) -> None:
        session.execute(
            insert(PageVersion),
            [
                {
                    "page_id": page["id"],
                    "number": page["version"],
                    "title": page["title"],
                    "format": page["format"],
                    "source": page["source"],
                    "written_at": page["updated_at"],
                    "written_by": self._actor.name,
                    "comment": self._comment,
                }
                for page in pages
            ],
        )


def take_back(runtime: Runtime, undo: Undo) -> None:
    """Undo a load that failed: what it made goes, what it changed is as it was before."""
    for batch in batched(undo.pages, REMOVED_AT_ONCE):
        with runtime.sessions.begin() as session:
            session.execute(delete(ProjectPage).where(ProjectPage.id.in_(batch)))
    for batch in batched(undo.files, FILES_AT_ONCE):
        with runtime.sessions.begin() as session:
            session.execute(delete(ProjectFile).where(ProjectFile.id.in_(batch)))
    for pages in batched(undo.changed_pages, PAGES_AT_ONCE):
        with runtime.sessions.begin() as session:
            for page in pages:
                _restore(session, page)
    for files in batched(undo.changed_files, FILES_AT_ONCE):
        with runtime.sessions.begin() as session:
            session.execute(update(ProjectFile), files)


def remove_named(runtime: Runtime, *, project_id: str, pages: list[str], files: list[str]) -> None:
    """Remove pages (with their versions) by key and files by path, a few in each transaction."""
    for batch in batched(pages, REMOVED_AT_ONCE):
        with runtime.sessions.begin() as session:
            session.execute(
                delete(ProjectPage).where(
                    ProjectPage.project_id == project_id, ProjectPage.name_key.in_(batch)
                )
            )
    for batch in batched(files, FILES_AT_ONCE):
        with runtime.sessions.begin() as session:
            session.execute(
                delete(ProjectFile).where(
                    ProjectFile.project_id == project_id, ProjectFile.path_key.in_(batch)
                )
            )


def _restore(session: Session, page: Values) -> None:
    """Give a page back what it was, from its own version rows, unless it was edited since."""
    old = session.execute(
        select(PageVersion.title, PageVersion.format, PageVersion.source).where(
            PageVersion.page_id == page["id"], PageVersion.number == page["version"]
        )
    ).one_or_none()
    loaded = page["version"] + 1
    restored = page | ({} if old is None else dict(old._mapping))  # noqa: SLF001 (SQLAlchemy's public name)
    met = session.execute(
        update(ProjectPage)
        .where(ProjectPage.id == page["id"], ProjectPage.version == loaded)
        .values(**restored)
        .returning(ProjectPage.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if met is not None:
        session.execute(
            delete(PageVersion).where(
                PageVersion.page_id == page["id"], PageVersion.number == loaded
            )
        )


def _rows(
    session: Session,
    table: type[ProjectPage] | type[ProjectFile],
    project_id: str,
    key: str,
    values: list[Values],
) -> dict[str, Values]:
    """Rows of these keys as they stand, without pages' sources, which their versions have."""
    columns = [column for column in table.__table__.c if column.name != "source"]
    rows = session.execute(
        select(*columns).where(
            table.project_id == project_id,
            table.__table__.c[key].in_([new[key] for new in values]),
        )
    )
    return {row[key]: dict(row) for row in rows.mappings()}


def _in_bytes(batches: Iterable[list[PlannedPage]]) -> Iterator[list[PlannedPage]]:
    """Batches cut so that none has much more than a megabyte of text."""
    for batch in batches:
        part: list[PlannedPage] = []
        size = 0
        for page in batch:
            if part and size + page.found.size > BYTES_AT_ONCE:
                yield part
                part, size = [], 0
            part.append(page)
            size += page.found.size
        yield part
