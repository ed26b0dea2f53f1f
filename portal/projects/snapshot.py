"""A project as one transaction sees it, streamed row by row for its export."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.errors import NotFoundError
from portal.projects.export_content import (
    ExportedFile,
    ExportedMember,
    ExportedPage,
    ExportedProject,
    ExportedVersion,
    FileName,
    PageName,
)
from portal.projects.models import PageVersion, Project, ProjectFile, ProjectMember, ProjectPage
from portal.projects.rights import missing
from portal.projects.storage import stored_path
from portal.settings import Settings

NAMES = 2000
ROWS = 100  # a row may hold a page of several megabytes


class Snapshot:
    """Reads a project in `session`, whose transaction keeps what it sees fixed.

    Raises NotFoundError where there is no such project.
    """

    def __init__(self, session: Session, *, project_id: str, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._id = project_id
        self.project = self._project()

    def page_names(self) -> Iterator[PageName]:
        """All pages by name, without their content."""
        rows = self._session.execute(
            select(ProjectPage.name, ProjectPage.file_name, ProjectPage.title)
            .where(ProjectPage.project_id == self._id)
            .order_by(ProjectPage.name_key)
            .execution_options(yield_per=NAMES)
        )
        return (PageName(**row) for row in rows.mappings())

    def file_names(self) -> Iterator[FileName]:
        """All files by path, without their content."""
        rows = self._session.execute(
            select(ProjectFile.path, ProjectFile.size)
            .where(ProjectFile.project_id == self._id)
            .order_by(ProjectFile.path_key)
            .execution_options(yield_per=NAMES)
        )
        return (FileName(**row) for row in rows.mappings())

    def pages(self) -> Iterator[ExportedPage]:
        """All pages, a few at a time in memory."""
        rows = self._session.execute(
            select(
                ProjectPage.name,
                ProjectPage.title,
                ProjectPage.format,
                ProjectPage.source,
                ProjectPage.updated_at,
            )
            .where(ProjectPage.project_id == self._id)
            .order_by(ProjectPage.name_key)
            .execution_options(yield_per=ROWS)
        )
        return (ExportedPage(**row) for row in rows.mappings())

    def files(self) -> Iterator[ExportedFile]:
        """All files: where they are on disk."""
        rows = self._session.execute(
            select(ProjectFile.path, ProjectFile.stored, ProjectFile.sha256)
            .where(ProjectFile.project_id == self._id)
            .order_by(ProjectFile.path_key)
            .execution_options(yield_per=ROWS)
        )
        return (
            ExportedFile(
                path=row.path,
                disk=stored_path(self._settings, project_id=self._id, stored=row.stored),
                sha256=row.sha256,
            )
            for row in rows
        )

    def history(self) -> Iterator[ExportedVersion]:
        """All versions of all pages, page by page, oldest first."""
        rows = self._session.execute(
            select(
                ProjectPage.name.label("page"),
                PageVersion.number,
                PageVersion.title,
                PageVersion.format,
                PageVersion.source,
                PageVersion.written_at,
                PageVersion.written_by,
                PageVersion.comment,
            )
            .join(ProjectPage, ProjectPage.id == PageVersion.page_id)
            .where(ProjectPage.project_id == self._id)
            .order_by(ProjectPage.name_key, PageVersion.number)
            .execution_options(yield_per=ROWS)
        )
        return (ExportedVersion(**row) for row in rows.mappings())

    def version_count(self) -> int:
        """How many versions `history` gives."""
        query = (
            select(func.count())
            .select_from(PageVersion)
            .join(ProjectPage, ProjectPage.id == PageVersion.page_id)
            .where(ProjectPage.project_id == self._id)
        )
        return self._session.scalar(query) or 0

    def members(self) -> list[ExportedMember]:
        """All members by name."""
        rows = self._session.execute(
            select(User.name.label("user"), ProjectMember.role, ProjectMember.joined_at)
            .join(ProjectMember, ProjectMember.user_id == User.id)
            .where(ProjectMember.project_id == self._id)
            .order_by(User.name_key)
        )
        return [ExportedMember(**row) for row in rows.mappings()]

    def _project(self) -> ExportedProject:
        row = self._session.execute(
            select(Project, User.name)
            .outerjoin(User, User.id == Project.created_by)
            .where(Project.id == self._id, Project.loading_at.is_(None))
        ).one_or_none()
        if row is None:
            raise NotFoundError(missing(self._id))
        project, creator = row
        return ExportedProject(
            id=project.id,
            title=project.title,
            policy=project.policy,
            home=project.home,
            created_at=project.created_at,
            created_by=creator,
            updated_at=project.updated_at,
        )
