"""Asking for batches and for what is done with them afterwards. Services flush, edges commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import ConflictError, NotFoundError
from portal.rows import ledger
from portal.rows.batch import UNDO_STATES, Batch, BatchOrder, BatchState
from portal.rows.batch_row import batch_of, order_columns
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Store
from portal.rows.schema import LedgerTables

MOST_CHOSEN = 10_000
BUSY = "The batch is being worked on; wait until it ends, or pause it."
PAUSING = "It pauses as soon as the rows in hand are done."
FORGOTTEN = "What the batch did is no longer kept; it is too long ago."


def create_batch(
    session: Session,
    *,
    order: BatchOrder,
    actor: Actor,
    now: datetime,
    store: Store = Store.PORTAL,
    job_id: str | None = None,
) -> Batch:
    """Record a batch that waits for its job. The caller has checked the actor's right."""
    values = {
        **order_columns(order),
        "id": uuid4().hex,
        "store": str(store),
        "state": str(BatchState.WAITING),
        "job_id": job_id,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "created_at": now,
    }
    table = PORTAL_LEDGER.batch
    return batch_of(session.execute(insert(table).values(**values).returning(table)).one())


def get_batch(session: Session, *, batch_id: str, tables: LedgerTables = PORTAL_LEDGER) -> Batch:
    """The batch with this id; raise NotFoundError where there is none."""
    batch = ledger.find_batch(session, tables, batch_id)
    if batch is None:
        raise NotFoundError("There is no such batch.")
    return batch


def pause(session: Session, *, batch_id: str) -> None:
    """Ask a batch to pause at its next chunk; its job then ends, and `resume` lets it go on."""
    batch = get_batch(session, batch_id=batch_id)
    if batch.state not in (BatchState.WAITING, BatchState.RUNNING):
        raise ConflictError("Only a batch that waits or runs can be paused.")
    if batch.order.whole:
        raise ConflictError("What is all or nothing cannot be paused; cancel its job instead.")
    ledger.ask_to_pause(session, PORTAL_LEDGER, batch_id, asked=True)


def resume(session: Session, *, batch_id: str) -> None:
    """Let a paused, cancelled or stopped batch go on; the caller submits the job for it."""
    batch = get_batch(session, batch_id=batch_id)
    if batch.state is BatchState.REFUSED:
        raise ConflictError("Rows failed, so nothing was done; repair or skip them and try again.")
    if batch.state is BatchState.DONE or batch.state in UNDO_STATES:
        raise ConflictError("The batch is done; there is nothing left to go on with.")
    ledger.ask_to_pause(session, PORTAL_LEDGER, batch_id, asked=False)


def give_up(
    session: Session, *, batch_id: str, now: datetime, tables: LedgerTables = PORTAL_LEDGER
) -> Batch:
    """Let a paused batch be; what was not done stays undone, and can be gone on with later."""
    batch = get_batch(session, batch_id=batch_id, tables=tables)
    if batch.state is not BatchState.PAUSED:
        raise ConflictError("Only a paused batch can be given up; cancel the job of a running one.")
    state = str(BatchState.CANCELLED)
    return change_idle(session, batch, tables=tables, state=state, ended_at=now)


def show(session: Session, *, batch: Batch) -> None:
    """Let the portal's database tell what a ledger elsewhere says of `batch`."""
    if batch.store is Store.TABLES:
        ledger.mirror(session, PORTAL_LEDGER, batch)


def retry(
    session: Session,
    *,
    batch_id: str,
    rows: Sequence[int] = (),
    tables: LedgerTables = PORTAL_LEDGER,
) -> Batch:
    """Ask for failed rows (chosen ones, or all) to be done again; the caller submits the job.

    Of a batch that is all or nothing the whole file is done again, with the edits made to it.
    `session` and `tables` are those of the batch's ledger. Raises ConflictError where the batch is
    being worked on, was undone, or nothing failed.
    """
    if len(rows) > MOST_CHOSEN:
        raise ConflictError(f"Choose at most {MOST_CHOSEN:,} rows, or all of them.")
    batch = get_batch(session, batch_id=batch_id, tables=tables)
    if batch.counts.failed == 0 and batch.state is not BatchState.REFUSED:
        raise ConflictError("No row of the batch failed.")
    return change_idle(
        session,
        batch,
        tables=tables,
        state=str(BatchState.WAITING),
        retry_rows=[] if batch.order.whole else sorted(set(rows)),
        retry_next=1,
        attempt=batch.attempt + 1,
    )


def change_idle(session: Session, batch: Batch, *, tables: LedgerTables, **values: Any) -> Batch:
    """Change a batch that nobody works on; raise ConflictError where somebody does.

    The row is locked until the commit, so that no work begins in between.
    """
    check_changeable(batch)
    table = tables.batch
    statement = (
        update(table)
        .where(
            table.c.id == batch.id,
            table.c.token == batch.token,
            table.c.state == str(batch.state),
        )
        .values(**values or {"token": table.c.token})
        .returning(table)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise ConflictError(BUSY)
    return batch_of(row)


def check_changeable(batch: Batch) -> None:
    """Raise ConflictError where the rows of a batch cannot be edited or done again now."""
    if batch.state in UNDO_STATES:
        raise ConflictError("The batch was undone.")
    if batch.forgotten_at is not None:
        raise ConflictError(FORGOTTEN)
    if batch.state is BatchState.RUNNING:
        raise ConflictError(BUSY)
