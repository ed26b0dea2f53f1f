"""Undoing a whole batch: created records go, updated and removed ones come back.

Those that were changed since are kept and listed. It goes backwards through the rows, chunk by
chunk like the engine, and can be cut short and begun again at any time.
"""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.orm import Session

from portal.errors import ConflictError, PortalError
from portal.jobs.work import Work
from portal.rows.batch import Batch, BatchState
from portal.rows.budget import Budget
from portal.rows.deciding import Action
from portal.rows.desk import Desk, sit_down
from portal.rows.doing import FEW
from portal.rows.faults import fate_of_fault
from portal.rows.garbage import swept_by_chunk
from portal.rows.images import image_of
from portal.rows.processors import ManyRecords, Processors, Record
from portal.rows.service import FORGOTTEN
from portal.rows.source import check_source
from portal.rows.traces import Source, has_ranges, open_cells, traces
from portal.rows.undertaking import Undertaking, undertake
from portal.rows.undoing import Deed, Trace, undoing

UNDOING = "Undoing rows"
REFUSED = "It could not be undone."


def undo_batch(work: Work, *, batch_id: str, processors: Processors) -> Batch:
    """Undo what a batch did; returns it with the sums of `undone` and `kept`.

    Raises ConflictError for a dry run or where what the batch did is no longer kept, and
    ForbiddenError where the actor lacks the processor's right.
    """
    desk = sit_down(work, batch_id=batch_id)
    if desk.batch.state is BatchState.UNDONE:
        desk.show()
        return desk.batch
    check_undoable(desk.batch)
    processor = desk.processor = processors.get(desk.batch.order.processor)
    run = undertake(desk.batch, processor, acting=desk.acting)
    if desk.batch.state is not BatchState.UNDOING:
        before = desk.batch.next_row
        desk.mark(state=str(BatchState.UNDOING), undo_next=before, retry_rows=None, retry_next=1)
    _undo(desk, run)
    desk.mark(state=str(BatchState.UNDONE), ended_at=desk.acting().now)
    return desk.batch


def check_undoable(batch: Batch) -> None:
    """Raise ConflictError where there is nothing that could be undone."""
    if batch.order.dry_run:
        raise ConflictError("A dry run changed nothing; there is nothing to undo.")
    if batch.state is BatchState.REFUSED:
        raise ConflictError("Nothing of it was done, for rows failed; there is nothing to undo.")
    if batch.forgotten_at is not None:
        raise ConflictError(FORGOTTEN)


def _undo(desk: Desk, run: Undertaking) -> None:
    effects = desk.batch.counts.created + desk.batch.counts.updated + desk.batch.counts.removed
    with open_cells(desk.work.folder) as source, swept_by_chunk() as sweeper:
        _fill(desk, source)
        while waiting := _waiting(desk, run, source):
            done = desk.batch.undone + desk.batch.kept
            desk.between(UNDOING, done=done, total=effects, pausable=False)
            _undo_chunk(desk, run, waiting)
            sweeper.chunk_done()


def _fill(desk: Desk, source: Source) -> None:
    with desk.books.read() as session:
        needed = has_ranges(session, desk.books.tables, desk.batch)
    if needed:
        check_source(desk.batch.order, checkpoint=desk.work.checkpoint)
        before = desk.batch.undo_next or 1
        source.fill(desk.batch, before=before, checkpoint=desk.work.checkpoint)


def _waiting(desk: Desk, run: Undertaking, source: Source) -> list[Trace]:
    before = desk.batch.undo_next or 1
    with desk.books.read() as session:
        tables, limit = desk.books.tables, desk.books.pace.rows
        return traces(session, tables, run, source, before=before, limit=limit)


def _undo_chunk(desk: Desk, run: Undertaking, waiting: Sequence[Trace]) -> None:
    with desk.chunk() as session:
        deeds = _undo_rows(session, run, waiting, Budget(session, desk.books.pace))
        kept = [
            (trace, deed)
            for trace, deed in zip(waiting, deeds, strict=False)
            if deed.action is Action.REFUSE
        ]
        _list_kept(session, desk, kept)
        batch = desk.batch
        noted = desk.note(
            session,
            undo_next=waiting[len(deeds) - 1].row,
            undone=batch.undone + len(deeds) - len(kept),
            kept=batch.kept + len(kept),
        )
    desk.batch = noted


def _undo_rows(
    session: Session, run: Undertaking, waiting: Sequence[Trace], budget: Budget
) -> list[Deed]:
    """What was done for `waiting`, or for as many of the first as a transaction may take."""
    if run.many is not None:
        asked = [run.asking(trace.values) for trace in waiting]
        found = run.many.find_many(session, asked, acting=run.acting())
        pairs = zip(waiting, found, strict=True)
        return _do_many(session, run, run.many, [undoing(trace, record) for trace, record in pairs])
    deeds: list[Deed] = []
    for trace in waiting:
        deeds.append(_undo_row(session, run, trace))
        if budget.is_spent(len(deeds)):
            break
    return deeds


def _undo_row(session: Session, run: Undertaking, trace: Trace) -> Deed:
    try:
        record = run.processor.records.find(session, run.asking(trace.values), acting=run.acting())
    except PortalError as refusal:
        return Deed(action=Action.REFUSE, reason=f"{REFUSED} {refusal}")
    return _do(session, run, undoing(trace, record))


def _do_many(
    session: Session, run: Undertaking, many: ManyRecords, deeds: Sequence[Deed]
) -> list[Deed]:
    if len(deeds) <= FEW:
        return [_do(session, run, deed) for deed in deeds]
    try:
        with session.begin_nested():
            _act_many(session, run, many, deeds)
    except Exception as fault:
        fate_of_fault(fault, run)  # raises what is no row's fault
    else:
        return list(deeds)
    half = len(deeds) // 2
    parts = (deeds[:half], deeds[half:])
    return [deed for part in parts for deed in _do_many(session, run, many, part)]


def _act_many(session: Session, run: Undertaking, many: ManyRecords, deeds: Sequence[Deed]) -> None:
    removed = [d.record for d in deeds if d.action is Action.REMOVE and d.record is not None]
    created = [d.values for d in deeds if d.action is Action.CREATE and d.values is not None]
    updated = [
        (d.record, d.values)
        for d in deeds
        if d.action is Action.UPDATE and d.record is not None and d.values is not None
    ]
    if removed:
        many.remove_many(session, removed, acting=run.acting())
    if updated:
        many.update_many(session, updated, acting=run.acting())
    if created:
        many.create_many(session, created, acting=run.acting())


def _do(session: Session, run: Undertaking, deed: Deed) -> Deed:
    try:
        with session.begin_nested():
            _act(session, run, deed)
    except Exception as fault:
        texts = fate_of_fault(fault, run).errors or {}
        reason = "; ".join(text for field in texts.values() for text in field)
        return Deed(action=Action.REFUSE, record=deed.record, reason=f"{REFUSED} {reason}".strip())
    return deed


def _act(session: Session, run: Undertaking, deed: Deed) -> Record | None:
    records, acting = run.processor.records, run.acting()
    match deed.action:
        case Action.REMOVE if deed.record is not None:
            records.remove(session, deed.record, acting=acting)
        case Action.UPDATE if deed.record is not None:
            return records.update(session, deed.record, deed.values or {}, acting=acting)
        case Action.CREATE:
            return records.create(session, deed.values or {}, acting=acting)
    return None


def _list_kept(session: Session, desk: Desk, kept: Sequence[tuple[Trace, Deed]]) -> None:
    lines = [
        {
            "batch": desk.batch.number,
            "row_number": trace.row,
            "record_key": trace.key or (deed.record.key if deed.record else ""),
            "reason": deed.reason,
            "image": None if deed.record is None else image_of(deed.record.values),
        }
        for trace, deed in kept
    ]
    if lines:
        session.execute(insert(desk.books.tables.kept), lines)
