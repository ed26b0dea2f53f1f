"""Doing a batch again that was undone: exactly what it did, row by row from the first.

Rows whose records were changed since the undo are left, and told as skipped rows with the reason;
rows that the undo had to keep are as the batch left them, and stay so. Cut short, it goes on where
it stood: as long as it is at work the batch counts as undone, and `retry_next` is the next row.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.errors import ConflictError, PortalError
from portal.jobs.work import Work
from portal.rows import ledger
from portal.rows.again import do_deed, do_deeds
from portal.rows.batch import Batch, BatchState, Outcome
from portal.rows.budget import Budget
from portal.rows.desk import Desk, sit_down
from portal.rows.fates import Fate
from portal.rows.garbage import swept_by_chunk
from portal.rows.processors import Processors
from portal.rows.redoing import Step, left, redoing
from portal.rows.rewriting import rewrite
from portal.rows.service import FORGOTTEN
from portal.rows.source import check_source
from portal.rows.steps import steps
from portal.rows.traces import Source, open_cells
from portal.rows.undertaking import Undertaking, undertake

REDOING = "Doing rows again"


def redo_batch(work: Work, *, batch_id: str, processors: Processors) -> Batch:
    """Do again what an undo took back; returns the batch as it stands then.

    Raises ConflictError where nothing was undone, or what it did is no longer kept.
    """
    desk = sit_down(work, batch_id=batch_id)
    if desk.batch.state in (BatchState.DONE, BatchState.CANCELLED):
        desk.show()  # it was done when this job was cut short
        return desk.batch
    check_redoable(desk.batch)
    processor = desk.processor = processors.get(desk.batch.order.processor)
    run = undertake(desk.batch, processor, acting=desk.acting)
    _redo(desk, run)
    _settle(desk)
    return desk.batch


def check_redoable(batch: Batch) -> None:
    """Raise ConflictError where there is nothing that could be done again."""
    if batch.state is not BatchState.UNDONE:
        raise ConflictError("Only what was undone to its end can be done again.")
    if batch.forgotten_at is not None:
        raise ConflictError(FORGOTTEN)


def _redo(desk: Desk, run: Undertaking) -> None:
    total = desk.batch.undone
    with open_cells(desk.work.folder) as source, swept_by_chunk() as sweeper:
        if desk.batch.counts.created:
            check_source(desk.batch.order, checkpoint=desk.work.checkpoint)
            source.fill(desk.batch, before=desk.batch.next_row, checkpoint=desk.work.checkpoint)
        while waiting := _waiting(desk, run, source):
            done = total - desk.batch.undone
            desk.between(REDOING, done=done, total=total, pausable=False)
            _redo_chunk(desk, run, waiting)
            sweeper.chunk_done()


def _waiting(desk: Desk, run: Undertaking, source: Source) -> list[Step]:
    with desk.books.read() as session:
        limit = desk.books.pace.rows
        first = desk.batch.retry_next
        return steps(session, desk.books.tables, run, source, first=first, limit=limit)


def _redo_chunk(desk: Desk, run: Undertaking, waiting: Sequence[Step]) -> None:
    with desk.chunk() as session:
        kept = _kept(session, desk, waiting)
        todo = [step for step in waiting if step.row not in kept]
        done = _redo_steps(session, run, todo, Budget(session, desk.books.pace))
        last = waiting[-1].row if len(done) == len(todo) else todo[len(done) - 1].row
        fates = {step.row: fate for step, fate in zip(todo, done, strict=False)}
        seen = [step for step in waiting if step.row <= last]
        rewrite(session, desk.books.tables, desk.batch, seen, fates)
        noted = desk.note(session, **_counted(desk, todo, done, last))
    desk.batch = noted


def _counted(desk: Desk, todo: Sequence[Step], done: Sequence[Fate], last: int) -> dict[str, Any]:
    """How the batch's row changes: rows that were left are skipped, and have no effect any more."""
    gains = dict.fromkeys(Outcome, 0)
    for step, fate in zip(todo, done, strict=False):
        gains[step.entry.outcome] -= 1
        gains[fate.outcome] += 1
    counted = ledger.counted(desk.books.tables, gains)
    return counted | {"retry_next": last + 1, "undone": desk.batch.undone - len(done)}


def _kept(session: Session, desk: Desk, waiting: Sequence[Step]) -> set[int]:
    """Those of the rows that the undo had to keep."""
    table = desk.books.tables.kept
    its = (table.c.batch == desk.batch.number) & table.c.row_number.between(
        waiting[0].row, waiting[-1].row
    )
    return set(session.scalars(select(table.c.row_number).where(its)))


def _redo_steps(
    session: Session, run: Undertaking, todo: Sequence[Step], budget: Budget
) -> list[Fate]:
    """What became of `todo`, or of as many of the first as a transaction may take."""
    if run.many is not None and todo:
        asked = [run.asking(step.values) for step in todo]
        found = run.many.find_many(session, asked, acting=run.acting())
        pairs = zip(todo, found, strict=True)
        return do_deeds(session, run, [redoing(step, record) for step, record in pairs])
    fates: list[Fate] = []
    for step in todo:
        fates.append(_redo_step(session, run, step))
        if budget.is_spent(len(fates)):
            break
    return fates


def _redo_step(session: Session, run: Undertaking, step: Step) -> Fate:
    try:
        record = run.processor.records.find(session, run.asking(step.values), acting=run.acting())
    except PortalError as refusal:
        return left(str(refusal))
    return do_deed(session, run, redoing(step, record))


def _settle(desk: Desk) -> None:
    """What the undo had kept is a part of the batch again, like every other row."""
    table, batch = desk.books.tables.kept, desk.batch
    whole = batch.counts.total is None or batch.next_row > batch.counts.total
    with desk.chunk() as session:
        session.execute(delete(table).where(table.c.batch == batch.number))
        noted = desk.note(
            session,
            state=str(BatchState.DONE if whole else BatchState.CANCELLED),
            ended_at=desk.acting().now,
            undo_next=None,
            undone=0,
            kept=0,
            retry_next=1,
        )
    desk.batch = noted
    desk.show()
