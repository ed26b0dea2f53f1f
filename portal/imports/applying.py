"""Applying a plan: just what it says, or nothing and what drifted since it was made."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import ConflictError
from portal.imports.outcomes import refusal_of, result_of
from portal.imports.plans import RECHECK, check_plan, drift_text, drifts
from portal.imports.rights import check_place
from portal.imports.runs import begin_anew, do_batch
from portal.imports.words import KIND
from portal.jobs.work import Work
from portal.rows import ledger
from portal.rows.batch import Batch, BatchOrder, BatchState
from portal.rows.batch_row import batch_of
from portal.rows.books import open_books
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Processors
from portal.rows.service import create_batch, get_batch

LATE = "Somebody changed the table while the plan was applied; look at the rows, or undo it."


def apply_plan(
    work: Work, *, processors: Processors, batch_id: str, place: str, **_about: str
) -> None:
    """Import the file of a plan as it was planned; otherwise fail with the rows that drifted."""
    check_place(work.runtime.settings, place)
    with work.runtime.reads() as session:
        plan = get_batch(session, batch_id=batch_id)
        applied = _found(session, work, dry_run=False)
    check_plan(plan)
    if applied is None:
        _check_drift(work, plan, processors)
        applied = _made(work, plan, replace(plan.order, dry_run=False))
    begin_anew(work, applied.id)
    batch = do_batch(work, batch_id=applied.id, processors=processors)
    result = result_of(work, batch) | {"plan": plan.id}
    if batch.state is BatchState.REFUSED:
        raise refusal_of(result)
    if batch.state is BatchState.DONE and compared(work, plan, batch):
        result |= {"warning": LATE}
    with work.completion(result):
        pass


def compared(work: Work, plan: Batch, batch: Batch) -> str:
    """What the rows of `batch` do otherwise than planned, as a text; empty where nothing."""
    books = open_books(work.runtime, plan.store)
    with books.read() as session:
        tables = books.tables
        old = ledger.find_batch(session, tables, plan.id) or plan
        new = ledger.find_batch(session, tables, batch.id) or batch
        planned = ledger.entries(session, tables, old)
        return drift_text(drifts(planned, ledger.entries(session, tables, new)))


def _check_drift(work: Work, plan: Batch, processors: Processors) -> None:
    with work.runtime.reads() as session:
        again = _found(session, work, dry_run=True)
    if again is None or again.state is BatchState.DONE:  # what is there now counts
        again = _made(work, plan, replace(plan.order, reason=RECHECK))
    found = do_batch(work, batch_id=again.id, processors=processors)
    if found.state is not BatchState.DONE:
        raise ConflictError("The plan was not looked at to its end; apply it anew.")
    if text := compared(work, plan, found):
        result: dict[str, Any] = {"batch": found.id, "plan": plan.id, "text": text, "drifted": True}
        raise refusal_of(result)


def _found(session: Session, work: Work, *, dry_run: bool) -> Batch | None:
    """The batch that an earlier attempt of this job made."""
    table = PORTAL_LEDGER.batch
    its = select(table).where(
        table.c.job_id == work.claim.job_id, table.c.dry_run.is_(dry_run), table.c.kind == KIND
    )
    row = session.execute(its.order_by(table.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else batch_of(row)


def _made(work: Work, plan: Batch, order: BatchOrder) -> Batch:
    with work.effect() as session:
        return create_batch(
            session,
            order=order,
            actor=work.actor,
            now=work.runtime.clock(),
            store=plan.store,
            job_id=work.claim.job_id,
        )
