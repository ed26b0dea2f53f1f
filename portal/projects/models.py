"""Projects: pages with history, files, members."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Policy(StrEnum):
    """Who sees and edits a project."""

    OPEN = "open"
    MEDIUM = "medium"
    CLOSED = "closed"


class ProjectRole(StrEnum):
    """What a member is in a project."""

    MEMBER = "ProjectMember"
    ADMIN = "ProjectAdmin"


class PageFormat(StrEnum):
    """How a page's source is written."""

    HTML = "html"
    MARKDOWN = "markdown"


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Project(Base):
    """A set of pages and files with members and one policy.

    While a new project is being loaded, `loading_at` says when that last went on; until it is
    None again, nobody sees the project.
    """

    __tablename__ = "project"
    __table_args__ = (CheckConstraint(_one_of("policy", Policy), name="known_policy"),)

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    title: Mapped[str] = mapped_column(String(255))
    policy: Mapped[str] = mapped_column(String(16), default=Policy.MEDIUM)
    home: Mapped[str | None] = mapped_column(String(1024))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )
    updated_at: Mapped[datetime]
    loading_at: Mapped[datetime | None]


class ProjectMember(Base):
    """A user's role in a project."""

    __tablename__ = "project_member"
    __table_args__ = (CheckConstraint(_one_of("role", ProjectRole), name="known_role"),)

    project_id: Mapped[str] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(32))
    joined_at: Mapped[datetime]


class ProjectPage(Base):
    """A page. `name` is its path without suffix; `file_name` what it was loaded from."""

    __tablename__ = "project_page"
    __table_args__ = (
        UniqueConstraint("project_id", "name_key"),
        CheckConstraint(_one_of("format", PageFormat), name="known_format"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(1024))
    name_key: Mapped[str] = mapped_column(String(1024))
    file_name: Mapped[str] = mapped_column(String(1024))
    title: Mapped[str] = mapped_column(String(512))
    format: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )


class PageVersion(Base):
    """What a page was after each write."""

    __tablename__ = "page_version"
    __table_args__ = (UniqueConstraint("page_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("project_page.id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(512))
    format: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]
    written_by: Mapped[str] = mapped_column(String(128))
    comment: Mapped[str] = mapped_column(String(255), default="")


class ProjectFile(Base):
    """A file of a project. On disk it is kept as `stored`, an internal name, and never changed."""

    __tablename__ = "project_file"
    __table_args__ = (UniqueConstraint("project_id", "path_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(1024))
    path_key: Mapped[str] = mapped_column(String(1024))
    stored: Mapped[str] = mapped_column(String(32), unique=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(128))
    updated_at: Mapped[datetime]
