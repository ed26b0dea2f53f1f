"""Asking for imports, and for what is done with them afterwards. Services flush, edges commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Self

from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.errors import ConflictError, ForbiddenError
from portal.imports.addresses import is_address, name_in
from portal.imports.files import StoredFile
from portal.imports.paths import check_path
from portal.imports.plans import check_plan
from portal.imports.repeated import Earlier, find_earlier
from portal.imports.rights import check_may_try, check_may_undo, may_see
from portal.imports.words import KIND, ImportMode, processor_of, table_of
from portal.jobs.models import Job
from portal.jobs.service import Subject, submit
from portal.rows.batch import Batch, BatchState
from portal.rows.batch_kinds import Wish
from portal.rows.redo import check_redoable
from portal.rows.service import pause
from portal.rows.treatment import PLAIN, Treatment
from portal.rows.undo import check_undoable
from portal.tables.grants import SUBJECT, place_of
from portal.tabular.formats import Format
from portal.visible import visible

RUN = "imports.run"
PLAN = "imports.plan"
GO_ON = "imports.batch"
UNDO = "imports.undo"
REDO = "imports.redo"
PAUSE = "imports.pause"
APPLY = "imports.apply"
BATCH = "import-batch"
LANE_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class ImportOrder:
    """What is to be imported: a stored file, or one at `path`: below an allowed folder, or at an
    https address.

    What is left open (`format`, `columns`) is found in the file: each header is the name of a
    column of the table. `reading` says encoding, delimiter, quote or sheet where what is found is
    wrong. `columns[i]` is the field of column i, None for one that is left out.
    `fields` names the field, "" for none, of single columns by their header. `profile` is a saved
    mapping. All rows are imported or none, with `partial` those that are good.
    """

    table: str
    file_name: str
    source: str = ""
    path: str = ""
    size: int = 0
    sha256: str = ""
    mode: ImportMode = ImportMode.INSERT
    partial: bool = False
    dry_run: bool = False
    format: Format | None = None
    reading: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str | None, ...] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    treatment: Treatment = PLAIN

    @classmethod
    def at(cls, path: str, **more: Any) -> Self:
        """The order to import the file at a path, as it is when the import begins."""
        name = name_in(path) if is_address(path) else PurePosixPath(path).name
        return cls(file_name=name, path=path, **more)

    @classmethod
    def of(cls, stored: StoredFile, **more: Any) -> Self:
        """The order to import a file that was stored."""
        return cls(
            file_name=stored.name,
            source=stored.id,
            size=stored.size,
            sha256=stored.sha256,
            **more,
        )

    def as_args(self) -> dict[str, Any]:
        """What the job keeps of it."""
        return {
            "table": self.table,
            "file_name": self.file_name,
            "source": self.source,
            "path": self.path,
            "size": self.size,
            "sha256": self.sha256,
            "mode": str(self.mode),
            "partial": self.partial,
            "dry_run": self.dry_run,
            "format": None if self.format is None else self.format.as_json(),
            "reading": dict(self.reading),
            "columns": None if self.columns is None else list(self.columns),
            "fields": dict(self.fields),
            "profile": self.profile,
            "treatment": self.treatment.as_json(),
        }

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """The order that `as_args` gave."""
        fmt, columns = args["format"], args["columns"]
        return cls(
            **{
                **args,
                "mode": ImportMode(args["mode"]),
                "format": None if fmt is None else Format.from_json(fmt),
                "columns": None if columns is None else tuple(columns),
                "treatment": Treatment.from_json(args["treatment"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The job that stands for what was asked, and the import of the very same before, if any."""

    job: Job
    joined: bool
    earlier: Earlier | None = None


def ask_to_import(session: Session, *, order: ImportOrder, wish: Wish) -> Asked:
    """Queue an import or its dry run; imports into the same table wait for each other.

    Whether there is such a table, and whether the file fits it, is said by the job. Raises
    ForbiddenError, also for a path that is in no allowed folder.
    """
    place, table = place_of(wish.runtime.settings), order.table
    check_may_try(session, wish.actor, place=place, table=table, mode=order.mode)
    if order.path:
        check_path(wish.runtime.settings, order.path)
        check_may_take(session, order, wish)
    done = "Dry run of" if order.dry_run else "Import"
    submitted = submit(
        session,
        kind=wish.kinds.get(PLAN if order.dry_run else RUN),
        actor=wish.actor,
        args=order.as_args() | {"place": place},
        title=f"{done} {visible(order.file_name)} into {table} ({order.mode})",
        subject=Subject(kind=SUBJECT, id=table[:LANE_LENGTH]),
        waker=wish.waker,
        now=wish.now,
        lane=None if order.dry_run else lane_of(place, table),
        exactly=True,
    )
    if not submitted.joined and not order.dry_run:
        _record(session, wish, RUN, table, _told(order, submitted.job))
    earlier = find_earlier(
        session, table=table, mode=order.mode.rows_mode, sha256=order.sha256, place=place
    )
    return Asked(job=submitted.job, joined=submitted.joined, earlier=earlier)


def ask_to_go_on(session: Session, *, batch: Batch, wish: Wish) -> Asked:
    """Queue what is left of an import: what was cut short, or the failed rows once more."""
    check_may_change(session, batch, wish)
    return _ask_for(session, batch, wish, kind=GO_ON, word="Go on with")


def ask_to_undo(session: Session, *, batch: Batch, wish: Wish) -> Asked:
    """Queue the undoing of an import; raises ConflictError where there is nothing to undo."""
    _check_seen(session, batch, wish)
    if batch.state is BatchState.UNDONE:
        raise ConflictError("This import was undone already.")
    table, mode = table_of(batch.order.processor), ImportMode.of(batch.order.mode)
    check_may_undo(session, wish.actor, place=batch.order.owner, table=table, mode=mode)
    check_undoable(batch)
    return _ask_for(session, batch, wish, kind=UNDO, word="Undo")


def ask_to_pause(session: Session, *, batch: Batch, wish: Wish) -> None:
    """Let an import of good rows rest at its next safe point; `ask_to_go_on` does the others.

    Raises ForbiddenError, and ConflictError where it neither waits nor runs, or is all or nothing.
    """
    check_may_change(session, batch, wish)
    pause(session, batch_id=batch.id)
    _record(session, wish, PAUSE, table_of(batch.order.processor), {"batch": batch.id})


def ask_to_redo(session: Session, *, batch: Batch, wish: Wish) -> Asked:
    """Queue an import once more that was undone; raises ConflictError where it was not."""
    check_may_change(session, batch, wish)
    check_redoable(batch)
    return _ask_for(session, batch, wish, kind=REDO, word="Do again")


def ask_to_apply(session: Session, *, plan: Batch, wish: Wish) -> Asked:
    """Queue the import that a dry run planned; it is done just so, or not at all.

    Raises ForbiddenError, and ConflictError where the batch is no plan.
    """
    check_may_change(session, plan, wish)
    check_plan(plan)
    return _ask_for(session, plan, wish, kind=APPLY, word="Apply the plan for")


def check_may_take(session: Session, order: ImportOrder, wish: Wish) -> None:
    """Raise ForbiddenError where the actor may not take files from where the order's file is."""
    args = order.as_args() | {"place": place_of(wish.runtime.settings)}
    if not wish.kinds.get(RUN).may_run(session, wish.actor, args):
        raise ForbiddenError(
            f"You may not take {order.path} from where it lies. An administrator can grant it."
        )


def check_may_change(session: Session, batch: Batch, wish: Wish) -> None:
    """Raise ForbiddenError or ConflictError where the actor may not change the import now."""
    _check_seen(session, batch, wish)
    order, table = batch.order, table_of(batch.order.processor)
    mode = ImportMode.of(order.mode)
    check_may_try(session, wish.actor, place=order.owner, table=table, mode=mode)


def lane_of(place: str, table: str) -> str:
    """The lane of jobs that change a table.

    SQLite has one writer, and an import that is all or nothing writes to its very end: there all
    tables share a lane, so that another import waits in the queue and not for a lock.
    """
    shared = not place.startswith("postgresql")
    return (f"tables:{place}" if shared else processor_of(table))[:LANE_LENGTH]


def _check_seen(session: Session, batch: Batch, wish: Wish) -> None:
    order, table = batch.order, table_of(batch.order.processor)
    if order.owner != place_of(wish.runtime.settings):
        raise ConflictError("The tables database is another one now; its imports rest.")
    if not may_see(session, wish.actor, place=order.owner, table=table):
        raise ForbiddenError(f"You may not import into the table {table!r}.")


def _ask_for(session: Session, batch: Batch, wish: Wish, *, kind: str, word: str) -> Asked:
    order, table = batch.order, table_of(batch.order.processor)
    submitted = submit(
        session,
        kind=wish.kinds.get(kind),
        actor=wish.actor,
        args={
            "batch_id": batch.id,
            "place": order.owner,
            "table": table,
            "mode": str(ImportMode.of(order.mode)),
        },
        title=f"{word} the import of {visible(order.file_name)} into {table}",
        subject=Subject(kind=BATCH, id=batch.id),
        waker=wish.waker,
        now=wish.now,
        lane=lane_of(order.owner, table),
    )
    if not submitted.joined:
        _record(session, wish, kind, table, {"batch": batch.id, "job": submitted.job.id})
    return Asked(job=submitted.job, joined=submitted.joined)


def _told(order: ImportOrder, job: Job) -> dict[str, Any]:
    return {
        "job": job.id,
        "file": order.file_name,
        "sha256": order.sha256,
        "mode": str(order.mode),
        "partial": order.partial,
    }


def _record(session: Session, wish: Wish, action: str, table: str, detail: dict[str, Any]) -> None:
    record(
        session,
        actor=wish.actor,
        action=action,
        object_kind=SUBJECT,
        object_id=table,
        now=wish.now,
        address=wish.address,
        detail=detail | {"area": KIND},
    )
