"""Batches that a dead worker left running, once their job has ended for good."""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from portal.jobs.models import ACTIVE, Job
from portal.rows import ledger
from portal.rows.batch import Batch, BatchState
from portal.rows.batch_row import batch_of
from portal.rows.books import open_books
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Store
from portal.runtime import Runtime

AT_ONCE = 100


def stop_abandoned(runtime: Runtime) -> int:
    """Set free the batches that run without a job that does; returns how many.

    Their token is raised, so that a worker that wakes up late writes nothing any more; their rows
    can then be edited and done again.
    """
    with runtime.reads() as session:
        found = session.scalars(
            select(PORTAL_LEDGER.batch.c.id).where(*_abandoned()).limit(AT_ONCE)
        ).all()
    return sum(_stop(runtime, batch_id) for batch_id in found)


def _stop(runtime: Runtime, batch_id: str) -> bool:
    """In the portal's database first: whoever claims the batch later has a higher token."""
    with runtime.sessions.begin() as session:
        batch = _free(session, batch_id)
    if batch is None:
        return False
    if batch.store is Store.TABLES:
        _stop_copy(runtime, batch)
    return True


def _free(session: Session, batch_id: str) -> Batch | None:
    table = PORTAL_LEDGER.batch
    freed = (
        update(table)
        .where(table.c.id == batch_id, *_abandoned())
        .values(state=str(BatchState.STOPPED), token=table.c.token + 1)
        .returning(table)
    )
    row = session.execute(freed).one_or_none()
    return None if row is None else batch_of(row)


def _stop_copy(runtime: Runtime, batch: Batch) -> None:
    books = open_books(runtime, batch.store)
    with books.write() as session:
        copy = ledger.claim_copy(session, books.tables, batch)
        if copy.state is BatchState.RUNNING:
            stopped = {"state": str(BatchState.STOPPED)}
            copy = ledger.write_batch(session, books.tables, copy, **stopped)
    with runtime.sessions.begin() as session:
        ledger.mirror(session, PORTAL_LEDGER, copy)


def _abandoned() -> tuple[ColumnElement[bool], ...]:
    table = PORTAL_LEDGER.batch
    working = select(Job.number).where(Job.id == table.c.job_id, Job.state.in_(ACTIVE)).exists()
    return (table.c.state == str(BatchState.RUNNING), ~working)
