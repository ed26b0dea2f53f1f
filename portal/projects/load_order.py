"""What a load is asked for, and what it says it did."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from portal.projects.folders import Skipped
from portal.projects.load_plan import Apart
from portal.projects.models import Policy


class OnConflict(StrEnum):
    """What a load does where the project is there already."""

    REFUSE = "refuse"
    SKIP = "skip"
    REPLACE = "replace"
    UPDATE = "update"
    NEW_NAME = "new-name"


@dataclass(frozen=True, kw_only=True)
class LoadOrder:
    """What is to be loaded, as whom, and how."""

    folder: Path
    project_id: str = ""
    title: str = ""
    policy: Policy = Policy.MEDIUM
    on_conflict: OnConflict = OnConflict.REFUSE
    dry_run: bool = False
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What a load did, or would do. `outcome` is created, updated, replaced or skipped."""

    project_id: str
    outcome: str
    dry_run: bool
    pages: int = 0
    files: int = 0
    size: int = 0
    new_pages: int = 0
    changed_pages: int = 0
    removed_pages: int = 0
    new_files: int = 0
    changed_files: int = 0
    removed_files: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
