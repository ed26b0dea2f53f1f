"""What an export is made of: plain values and iterables that a service feeds from the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Stage(StrEnum):
    """What an export is doing, in the words shown to people."""

    PAGES = "Saving pages"
    FILES = "Saving files"
    HISTORY = "Saving history"
    SETTINGS = "Saving team and settings"
    VERIFYING = "Verifying"


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What the zip holds besides its README, index and manifest."""

    pages_with_files: bool = True
    history: bool = True
    members_and_settings: bool = True


@dataclass(frozen=True, kw_only=True)
class ExportedProject:
    """The project's own facts; `home` is the name of its home page."""

    id: str
    title: str
    policy: str
    home: str | None
    created_at: datetime
    created_by: str | None
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PageName:
    """A page as the index lists it; `file_name` is what it was loaded from, or empty."""

    name: str
    file_name: str
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedPage:
    """A page with its source; `format` is `html` or `markdown`."""

    name: str
    title: str
    format: str
    source: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class FileName:
    """A file's path in the project and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedFile:
    """A file: its path in the project, where it is on disk, and its checksum in hex."""

    path: str
    disk: Path
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedVersion:
    """What a page was after one write."""

    page: str
    number: int
    title: str
    format: str
    source: str
    written_at: datetime
    written_by: str
    comment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedMember:
    """A member's name and role."""

    user: str
    role: str
    joined_at: datetime


@dataclass(frozen=True, kw_only=True)
class ExportContent:
    """All of a project for one zip.

    Names come first, because every page may link to every other; then the contents, one by one.
    Each iterable is read once. `made_at` is also the time that each entry of the zip bears.
    """

    project: ExportedProject
    page_names: Iterable[PageName]
    file_names: Iterable[FileName]
    pages: Iterable[ExportedPage]
    files: Iterable[ExportedFile]
    history: Iterable[ExportedVersion]
    version_count: int
    members: Iterable[ExportedMember]
    options: ExportOptions
    portal_url: str
    portal_aliases: Sequence[str] = ()
    portal_version: str
    made_at: datetime
    made_by: str
