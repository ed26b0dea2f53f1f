"""One import as people see it, with its rows."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.errors import NotFoundError
from portal.imports.creating.orders import CREATE
from portal.imports.orders import APPLY, GO_ON, PLAN, REDO, RUN, UNDO, ImportOrder
from portal.imports.rights import may_see
from portal.imports.words import KIND, table_of
from portal.jobs.models import Job
from portal.jobs.service import SHORTEST_PREFIX, get_job
from portal.jobs.views import JobView, view_job
from portal.rows.batch import Batch, BatchState, Entry
from portal.rows.batch_kinds import Wish
from portal.rows.batch_row import batch_of
from portal.rows.models import PORTAL_LEDGER
from portal.rows.samples import Change, samples_of

KINDS = (RUN, PLAN, APPLY, GO_ON, UNDO, REDO, CREATE)
ORDERED = (RUN, PLAN, CREATE)
_BESIDES = ("place", "new")
_OVER = (BatchState.UNDONE, BatchState.UNDOING)


@dataclass(frozen=True, kw_only=True)
class Import:
    """A job of imports with the batch that it works on, and some of its rows."""

    job: JobView
    table: str
    mode: str
    order: ImportOrder | None = None
    batch: Batch | None = None
    changes: tuple[Change, ...] = ()
    failing: tuple[Entry, ...] = ()

    @property
    def text(self) -> str:
        """What it came to, or why it failed."""
        return str(self.job.result.get("text") or self.job.reason)

    @property
    def warning(self) -> str:
        """What is to be said besides."""
        return str(self.job.result.get("warning", ""))

    @property
    def may_undo(self) -> bool:
        """Whether there is an effect that can be taken back."""
        batch = self.batch
        if batch is None or self.job.active or batch.order.dry_run or batch.state in _OVER:
            return False
        counts = batch.counts
        return batch.forgotten_at is None and counts.created + counts.updated + counts.removed > 0

    @property
    def may_redo(self) -> bool:
        """Whether it was undone, and what it did is still known."""
        batch = self.batch
        undone = batch is not None and batch.state is BatchState.UNDONE
        return batch is not None and undone and not self.job.active and batch.forgotten_at is None

    @property
    def may_apply(self) -> bool:
        """Whether it is a plan that can be applied, and would do anything."""
        return self._is_plan and not self.is_vain

    @property
    def is_vain(self) -> bool:
        """Whether it is a plan that would do nothing: for all rows or none, and some are bad."""
        batch = self.batch
        bad = batch is not None and batch.order.whole and batch.counts.failed > 0
        return bad and self._is_plan

    @property
    def _is_plan(self) -> bool:
        batch = self.batch
        ended = batch is not None and self.job.kind == PLAN and not self.job.active
        return batch is not None and ended and batch.state is BatchState.DONE


def view_import(session: Session, *, wish: Wish, typed: str) -> Import:
    """The import that a job or batch with this id, or a unique beginning of it, is about.

    Raises NotFoundError where there is none that the actor may see.
    """
    job = _picked(session, wish, typed)
    view = view_job(session, runtime=wish.runtime, kinds=wish.kinds, actor=wish.actor, job=job)
    batch = find_batch_of(session, job)
    changes, failing = _samples(session, wish, batch)
    args = job.args
    own = {name: value for name, value in args.items() if name not in _BESIDES}
    return Import(
        job=view,
        table=str(args.get("table", "")),
        mode=str(args.get("mode", "")),
        order=ImportOrder.from_args(own) if job.kind in ORDERED else None,
        batch=batch,
        changes=changes,
        failing=failing,
    )


def find_batch_of(session: Session, job: Job) -> Batch | None:
    """The batch that a job of imports works on; None as long as there is none."""
    table = PORTAL_LEDGER.batch
    known = job.result.get("batch") or (job.subject_id if job.kind in (GO_ON, UNDO, REDO) else "")
    its = table.c.id == known
    if not known:
        copied = table.c.file_path.contains(f"/{job.id}-", autoescape=True)
        its = or_(table.c.job_id == job.id, copied)
    row = session.execute(
        select(table).where(its, table.c.kind == KIND).order_by(table.c.number).limit(1)
    ).one_or_none()
    return None if row is None else batch_of(row)


def get_batch_of(session: Session, *, wish: Wish, typed: str) -> Batch:
    """The batch of the import that is meant; raises NotFoundError where it has none."""
    batch = find_batch_of(session, _picked(session, wish, typed))
    if batch is None:
        raise NotFoundError("This import has no rows yet.")
    return batch


def _samples(
    session: Session, wish: Wish, batch: Batch | None
) -> tuple[tuple[Change, ...], tuple[Entry, ...]]:
    """Rows are for those who may see the table; a right that was taken away counts at once."""
    if batch is None:
        return (), ()
    place, table = batch.order.owner, table_of(batch.order.processor)
    seen = may_see(session, wish.actor, place=place, table=table)
    return samples_of(wish.runtime, batch) if seen else ((), ())


def _picked(session: Session, wish: Wish, typed: str) -> Job:
    job = _job_of_batch(session, typed) if len(typed) >= SHORTEST_PREFIX else None
    sought = typed if job is None else job
    found = get_job(session, kinds=wish.kinds, actor=wish.actor, job_id=sought)
    if found.kind not in KINDS:
        raise NotFoundError(f"There is no import {typed!r}.")
    return found


def _job_of_batch(session: Session, typed: str) -> str | None:
    table = PORTAL_LEDGER.batch
    its = select(table.c.job_id).where(
        table.c.kind == KIND, table.c.id.startswith(typed, autoescape=True)
    )
    found = session.scalars(its.limit(2)).all()
    return found[0] if len(found) == 1 else None
