"""What is done with files: folders, steps, and the intent that is committed before the first step.

Pure. A step names its target's SHA-256 before and after, so that whoever resumes it sees whether
it is done.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from portal.accounts.permissions import SYSTEM, Actor

ABSENT = ""


class Folder(StrEnum):
    """The folders of a storage; files that wait lie in the root itself."""

    ROOT = ""
    FINISHED = "finished"
    UNFINISHED = "unfinished"
    DELETED = "deleted"
    GRADUATED = "graduated"
    LOGS = "logs"


FOLDERS = tuple(folder for folder in Folder if folder)


class Act(StrEnum):
    """What a step does: move a file to a free name, put it in the place of one, or remove one."""

    MOVE = "move"
    REPLACE = "replace"
    REMOVE = "remove"


class Kind(StrEnum):
    """Why files move."""

    DISTRIBUTION = "distribution"
    UPLOAD = "upload"
    DELETION = "deletion"
    STORAGE = "storage"
    RETURN = "return"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; `source` and `target` are paths in the storage, `before` and `after` SHA-256."""

    act: Act
    source: str
    target: str
    before: str = ABSENT
    after: str = ABSENT

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The step that `asdict` gave."""
        return cls(**{**values, "act": Act(values["act"])})


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What is known of a file that Portal puts into the root."""

    name: str
    size: int
    mtime_ns: int
    sha256: str
    origin: str
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What is about to be done with files, committed before the first of them moves.

    `subject` is what the files have in common: one intent for it is open at a time. Asked twice
    for the same `occasion`, Portal does it once. With an `action`, it goes into the audit log with
    what it is `about` and its `detail`.
    """

    id: str
    occasion: str
    kind: Kind
    subject: str
    steps: tuple[Step, ...] = ()
    facts: tuple[Fact, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)
    action: str = ""
    about: str = ""
    actor: Actor = SYSTEM
    address: str = ""

    def steps_as_json(self) -> list[dict[str, Any]]:
        """The steps as the database keeps them."""
        return [asdict(step) for step in self.steps]
