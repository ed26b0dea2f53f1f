"""What the page of an import tells besides its counts: bad rows, what undoing needs, other jobs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from portal.errors import NotFoundError
from portal.imports.looking import Import
from portal.imports.orders import APPLY, BATCH
from portal.imports.rights import may_import, may_see, may_undo, no_undo_text
from portal.imports.waiting import find_waiting, lender_of
from portal.imports.words import ImportMode, table_of
from portal.jobs.models import Job, JobState
from portal.rows.batch import EFFECTS, SETTLED_STATES, Batch, BatchState, Entry
from portal.rows.batch_kinds import Wish
from portal.rows.books import open_books
from portal.rows.samples import skipped_of
from portal.runtime import Runtime

CUT_SHORT = (BatchState.PAUSED, BatchState.CANCELLED, BatchState.STOPPED)
WEIGHED = 50_000  # entries of a ledger; what more there are is told by their number
MOST_JOBS = 20


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a row is bad: its column and value as the file has them; of the whole row both empty."""

    row: int
    line: int | None
    column: str
    value: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class UndoData:
    """What is kept so that an import can be undone: bytes (at least), and until when."""

    size: int
    whole: bool
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Details:
    """The rest of what is known of an import; `no_undo` says why one may not undo it, `applied` is
    the job that did what a plan said.
    """

    faults: tuple[Fault, ...] = ()
    skipped: tuple[Entry, ...] = ()
    undo: UndoData | None = None
    jobs: tuple[Job, ...] = ()
    applied: Job | None = None
    file_id: str = ""
    may_change: bool = False
    may_undo: bool = False
    no_undo: str = ""
    may_go_on: bool = False
    may_pause: bool = False


def details_of(session: Session, *, wish: Wish, seen: Import) -> Details:
    """What there is to tell of the import that was `seen`."""
    batch, runtime = seen.batch, wish.runtime
    if batch is None:
        return Details(file_id=_file_id(wish, seen))
    place, table = batch.order.owner, table_of(batch.order.processor)
    mode = ImportMode.of(batch.order.mode)
    undoes = may_undo(session, wish.actor, place=place, table=table, mode=mode)
    shown = may_see(session, wish.actor, place=place, table=table)
    jobs = tuple(_jobs(session, seen, batch)) if shown else ()
    return Details(
        faults=tuple(faults_of(batch, seen.failing)),
        skipped=skipped_of(runtime, batch) if shown else (),
        undo=_undo_data(runtime, batch) if seen.may_undo else None,
        jobs=jobs,
        applied=next((job for job in jobs if _has_applied(job, batch)), None),
        file_id=_file_id(wish, seen),
        may_change=may_import(session, wish.actor, place=place, table=table, mode=mode),
        may_undo=seen.may_undo and undoes,
        no_undo=no_undo_text(table, mode) if seen.may_undo and shown and not undoes else "",
        may_go_on=_may_go_on(seen, batch),
        may_pause=_may_pause(seen, batch),
    )


def faults_of(batch: Batch, failing: Sequence[Entry]) -> Iterator[Fault]:
    """The faults of failing rows, one for each column that has one."""
    columns = batch.order.columns
    for entry in failing:
        cells = entry.effective(width=batch.width) or []
        for field, texts in entry.errors.items():
            place = columns.index(field) if field in columns else len(cells)
            yield Fault(
                row=entry.first_row,
                line=entry.line,
                column=field,
                value=cells[place] if place < len(cells) else "",
                reason=" / ".join(texts),
            )


def _may_go_on(seen: Import, batch: Batch) -> bool:
    """Whether rows are left that nobody has done; a retry of the job would do the same."""
    idle = not seen.job.active and not seen.job.may_retry
    return idle and batch.state in CUT_SHORT and not batch.order.whole


def _may_pause(seen: Import, batch: Batch) -> bool:
    """Whether rows are being done that may rest; what is all or nothing cannot."""
    runs = seen.job.active and batch.state is BatchState.RUNNING
    return runs and not batch.pause_asked and not batch.order.whole


def _undo_data(runtime: Runtime, batch: Batch) -> UndoData | None:
    if batch.ended_at is None or batch.state not in SETTLED_STATES | {*CUT_SHORT}:
        return None
    books = open_books(runtime, batch.store)
    table = books.tables.row
    parts = [func.length(cast(table.c[name], Text)) for name in ("before", "after", "record_key")]
    parts.append(func.length(table.c.after_hash))
    weight = sum((func.coalesce(part, 0) for part in parts[1:]), func.coalesce(parts[0], 0))
    outcomes = [str(outcome) for outcome in EFFECTS]
    some = select(weight.label("weight")).join_from(
        table, books.tables.batch, table.c.batch == books.tables.batch.c.number
    )
    mine = (books.tables.batch.c.id == batch.id, table.c.outcome.in_(outcomes))
    found = some.where(*mine).limit(WEIGHED).subquery()
    with books.read() as session:
        row = session.execute(select(func.count(), func.sum(found.c.weight))).one()
    size = int(row[1] or 0) + batch.order.size
    until = batch.ended_at + timedelta(days=runtime.settings.rows_days)
    return UndoData(size=size, whole=row[0] < WEIGHED, until=until)


def _has_applied(job: Job, plan: Batch) -> bool:
    return plan.order.dry_run and job.kind == APPLY and job.state == JobState.SUCCEEDED


def _jobs(session: Session, seen: Import, batch: Batch) -> list[Job]:
    """The jobs that worked on the same rows, but the one that is shown, the newest first."""
    maker = batch.order.file.name.partition("-")[0]
    its = (Job.subject_kind == BATCH) & (Job.subject_id == batch.id)
    query = select(Job).where(or_(its, Job.id == maker, Job.id == batch.job_id))
    query = query.where(Job.id != seen.job.id).order_by(Job.number.desc()).limit(MOST_JOBS)
    return list(session.scalars(query))


def _file_id(wish: Wish, seen: Import) -> str:
    """The file of a page, if it still waits there to be asked for in another way."""
    if seen.order is None or seen.job.active:
        return ""
    file_id = lender_of(seen.order.source)
    try:
        find_waiting(wish.runtime.settings, file_id=file_id, actor=wish.actor)
    except NotFoundError:
        return ""
    return file_id
