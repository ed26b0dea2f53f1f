"""What a worker does before it removes: a large removal waits until a second person approved it."""

from collections.abc import Callable

from portal.datacenter.approvals import (
    SECOND,
    Extent,
    approvers,
    ask_for_approval,
    extent_of,
    find_approval,
    is_approved,
    withdraw,
)
from portal.jobs.notices import Notice, tell
from portal.jobs.work import Work
from portal.rows.batch import Batch
from portal.rows.counting import count_records
from portal.rows.desk import Desk
from portal.rows.processors import Mode, Processor, Processors
from portal.visible import visible

APPROVAL = "approval"
Allow = Callable[[Desk], bool]


def allowance(work: Work, batch: Batch, processors: Processors) -> Allow | None:
    """Says of a batch whether its rows may be done now; None where nobody needs to be asked."""
    if batch.order.mode is not Mode.REMOVE or batch.order.dry_run:
        return None

    def allow(desk: Desk) -> bool:
        return _allow(work, desk, processors)

    return allow


def said_of_waiting(work: Work, batch: Batch, processor: Processor) -> str:
    """What a batch waits for that a second person has to approve; empty if it does not."""
    with work.runtime.reads() as session:
        approval = find_approval(session, batch)
    if approval is None or approval.at is not None:
        return ""
    return f"{extent_of(approval).told(processor)} {SECOND}"


def _allow(work: Work, desk: Desk, processors: Processors) -> bool:
    batch, processor = desk.batch, processors.get(desk.batch.order.processor)
    with work.runtime.reads() as session:
        if is_approved(session, batch, processors=processors):
            return True
    extent = _extent(desk, processor)
    if not extent.exceeds(work.runtime.settings.datacenter_removal_share):
        with work.effect() as session:
            withdraw(session, batch)
        return True
    _ask(work, batch, extent, processors)
    return False


def _extent(desk: Desk, processor: Processor) -> Extent:
    """Of the whole batch: what it removed before a pause counts as if it were there."""
    with desk.books.read() as session:
        records = count_records(session, processor, acting=desk.acting())
    counts = desk.batch.counts
    before = None if records is None else records + counts.removed
    return Extent(rows=counts.total or 0, records=before)


def _ask(work: Work, batch: Batch, extent: Extent, processors: Processors) -> None:
    """Note it, and tell everybody who may approve it; who was told already is not told again."""
    runtime, now = work.runtime, work.runtime.clock()
    with runtime.reads() as session:
        known = find_approval(session, batch)
        told_before = known is not None and known.at is None
        readers = [] if told_before else list(approvers(session, batch, processors=processors))
    told = extent.told(processors.get(batch.order.processor))
    name = visible(batch.order.file_name)
    message = f"{batch.actor_name} asks you to approve a removal ({name}): {told}"
    with work.effect() as session:
        ask_for_approval(session, batch=batch, extent=extent, now=now)
        for reader in readers:
            if reader.user_id is not None:
                page = f"/datacenter/runs/{batch.job_id}"
                notice = Notice(
                    user_id=reader.user_id, state=APPROVAL, message=message, page=page, event=""
                )
                tell(session, notice=notice, settings=runtime.settings, now=now)
