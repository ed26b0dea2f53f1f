"""What a batch is: the order for it, the states it goes through, and its sum of outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from portal.rows.processors import Mode, Store
from portal.rows.treatment import PLAIN, Treatment
from portal.tabular.formats import Format


class BatchState(StrEnum):
    """Where a batch stands. What is RUNNING while its job has ended was left by a dead worker.

    REFUSED is one that was all or nothing, and a row failed: nothing of it was done.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    REFUSED = "refused"

    @property
    def over(self) -> bool:
        """Whether nothing is to be done any more unless somebody asks."""
        return self in SETTLED_STATES or self in (BatchState.CANCELLED, BatchState.STOPPED)


SETTLED_STATES = frozenset({BatchState.DONE, BatchState.REFUSED})
UNDO_STATES = frozenset({BatchState.UNDOING, BatchState.UNDONE})


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    SKIPPED = "skipped"
    FAILED = "failed"
    BLANK = "blank"


GOOD = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.REMOVED})
EFFECTS = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.REMOVED})


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many rows had which outcome. Their sum with `unprocessed` is the rows of the file."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    failed: int = 0
    blank: int = 0
    total: int | None = None

    @property
    def processed(self) -> int:
        """How many rows have an outcome."""
        return sum(getattr(self, outcome) for outcome in Outcome)

    @property
    def unprocessed(self) -> int | None:
        """How many rows have none yet; None until the rows of the file were counted."""
        return None if self.total is None else self.total - self.processed

    def as_json(self) -> dict[str, int | None]:
        """Every count by its name, `unprocessed` among them."""
        counts = {item.name: getattr(self, item.name) for item in fields(self)}
        return counts | {"unprocessed": self.unprocessed}


@dataclass(frozen=True, kw_only=True)
class BatchOrder:
    """What is asked for: which file, read how, becomes what.

    `file` is an immutable stored copy, `sha256` its hash in hex. `columns[i]` is the field of the
    file's column i, None for one that is left out. `reason` says why records are removed. `total`
    is the number of data rows where it is known already; otherwise the batch counts them first.

    With `whole` either all rows are done or none. `treatment` says how cells are put right and
    which fields name a record. With `original` refusals of tables are told in the words that the
    tools before Portal had.
    """

    kind: str
    processor: str
    mode: Mode
    file: Path
    file_name: str
    sha256: str
    size: int
    format: Format
    columns: tuple[str | None, ...]
    dry_run: bool = False
    reason: str = ""
    owner: str = ""
    total: int | None = None
    whole: bool = False
    treatment: Treatment = PLAIN
    original: bool = False


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch as its ledger has it. `number` is its short name inside that ledger."""

    id: str
    number: int
    order: BatchOrder
    store: Store
    state: BatchState
    token: int
    attempt: int
    next_row: int
    retry_rows: tuple[int, ...] | None
    retry_next: int
    backup_bytes: int
    undo_next: int | None
    undone: int
    kept: int
    pause_asked: bool
    job_id: str | None
    actor_id: int | None
    actor_name: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    forgotten_at: datetime | None
    counts: Counts = field(default_factory=Counts)

    @property
    def width(self) -> int:
        """How many columns the file has."""
        return len(self.order.columns)

    @property
    def retrying(self) -> bool:
        """Whether failed rows are to be done again (`retry_rows` empty: all of them)."""
        return self.retry_rows is not None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The fate of the rows `first_row` to `last_row`, as the ledger tells it.

    `cells` are those of the file, `edited` what was typed over them by column. `before` is a
    record's image before the batch, `after` what an update gave it (or a new record's identity).
    """

    first_row: int
    last_row: int
    line: int | None
    outcome: Outcome
    attempt: int
    cells: list[str] | None
    edited: Mapping[str, str]
    errors: Mapping[str, list[str]]
    record_key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    after_hash: bytes | None
    skip_reason: str

    def effective(self, *, width: int) -> list[str] | None:
        """The cells as they are to be processed: those of the file with the edits over them.

        A row that has more or fewer cells than the header's `width` gets that many once it was
        edited. None where the ledger does not keep the cells of the row.
        """
        if self.cells is None or not self.edited:
            return self.cells
        cells = dict(enumerate(self.cells))
        return [self.edited.get(str(index), cells.get(index, "")) for index in range(width)]
