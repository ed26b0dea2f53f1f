"""A project's files: listing and finding them. The caller has checked the right to see them."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.errors import NotFoundError
from portal.projects.models import ProjectFile


@dataclass(frozen=True, kw_only=True, slots=True)
class FileLine:
    """A file as a list shows it."""

    path: str
    size: int
    sha256: str
    media_type: str
    updated_at: datetime


def get_file(session: Session, *, project_id: str, path: str) -> ProjectFile:
    """The file at this path; raises NotFoundError."""
    key = unicodedata.normalize("NFC", path)
    file = session.scalar(
        select(ProjectFile).where(ProjectFile.project_id == project_id, ProjectFile.path_key == key)
    )
    if file is None:
        raise NotFoundError(f"There is no file {path!r} in this project.")
    return file


def list_files(
    session: Session, *, project_id: str, text: str = "", after: str = "", limit: int = 100
) -> list[FileLine]:
    """Files by path, those after the path `after`; `text` is in the path."""
    query = (
        select(
            ProjectFile.path,
            ProjectFile.size,
            ProjectFile.sha256,
            ProjectFile.media_type,
            ProjectFile.updated_at,
        )
        .where(ProjectFile.project_id == project_id, ProjectFile.path_key > after)
        .order_by(ProjectFile.path_key)
        .limit(limit)
    )
    if text:
        query = query.where(ProjectFile.path_key.icontains(text, autoescape=True))
    return [FileLine(**row) for row in session.execute(query).mappings()]


def count_files(session: Session, project_id: str) -> tuple[int, int]:
    """How many files the project has, and their bytes in all."""
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(ProjectFile.size), 0)).where(
            ProjectFile.project_id == project_id
        )
    ).one()
    return int(row[0]), int(row[1])
