"""Approving removals, and which of them wait for somebody. Services flush, edges commit."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.audit.service import record
from portal.datacenter.again import go_on
from portal.datacenter.approvals import check_may_approve, extent_of, find_approval, may_approve
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import OBJECT
from portal.datacenter.models import RemovalApproval
from portal.datacenter.names import shown_name
from portal.datacenter.orders import Asking
from portal.db import changed
from portal.errors import ConflictError
from portal.jobs.concerns import Concern
from portal.jobs.service import Submitted
from portal.rows.batch import Batch, BatchState
from portal.rows.batch_row import batch_of
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Processors

APPROVE = "datacenter.approve"
NOT_ASKED = "Nobody has to approve this batch."
WORD = "To approve"


def approve(session: Session, *, batch: Batch, center: DataCenter, asking: Asking) -> Submitted:
    """Approve a removal as the second person, and queue what it waits for.

    Who approves what was approved already only lets it go on. Raises ForbiddenError, and
    ConflictError where nobody is asked or nothing is left to do.
    """
    approval = find_approval(session, batch)
    if approval is None:
        raise ConflictError(NOT_ASKED)
    check_may_approve(asking.actor, batch, processors=asking.processors)
    if _write_down(session, batch, asking):
        extent = extent_of(approval)
        record(
            session,
            actor=asking.actor,
            action=APPROVE,
            object_kind=OBJECT,
            object_id=batch.order.owner,
            now=asking.now,
            address=asking.address,
            detail={"batch": batch.id, "rows": extent.rows, "records": extent.records},
        )
    session.refresh(approval)
    return go_on(session, batch, center=center, asking=asking)


def concerns_of(session: Session, actor: Actor, *, processors: Processors) -> list[Concern]:
    """The removals that wait and that `actor` may approve, the oldest first."""
    return [
        Concern(
            title=shown_name(batch.order.file_name),
            url=f"/datacenter/runs/{batch.job_id}",
            word=WORD,
            text=extent_of(approval).told(processors.get(batch.order.processor)),
        )
        for approval, batch in _waiting(session)
        if may_approve(actor, batch, processors=processors)
    ]


def _write_down(session: Session, batch: Batch, asking: Asking) -> bool:
    """Exactly one of all who approve at the same time does."""
    statement = (
        update(RemovalApproval)
        .where(RemovalApproval.batch_id == batch.id, RemovalApproval.at.is_(None))
        .values(by_id=asking.actor.user_id, by_name=asking.actor.name, at=asking.now)
        .execution_options(synchronize_session=False)
    )
    return changed(session, statement) == 1


def _waiting(session: Session) -> list[tuple[RemovalApproval, Batch]]:
    table = PORTAL_LEDGER.batch
    query = (
        select(RemovalApproval, table)
        .join(table, table.c.id == RemovalApproval.batch_id)
        .where(
            RemovalApproval.at.is_(None),
            table.c.state == str(BatchState.PAUSED),
            table.c.forgotten_at.is_(None),
        )
        .order_by(RemovalApproval.asked_at)
    )
    return [(row.RemovalApproval, batch_of(row)) for row in session.execute(query)]
