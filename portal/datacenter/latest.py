"""What the newest batches say of files that lie there: cut short, or by which processor."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.datacenter.names import CSV, find_pending
from portal.datacenter.runs import KIND
from portal.datacenter.steps import Folder
from portal.rows.batch import BatchOrder, BatchState
from portal.rows.batch_row import batch_of
from portal.rows.models import PORTAL_LEDGER

CUT_SHORT = (BatchState.PAUSED, BatchState.CANCELLED, BatchState.STOPPED)


@dataclass(frozen=True, kw_only=True)
class CutShort:
    """A file whose newest batch has rows left: the job that shows it, and its state."""

    job_id: str
    sha256: str
    state: BatchState


def files_cut_short(session: Session) -> dict[str, CutShort]:
    """The files of the root whose newest batch has rows left, by their names on disk."""
    table = PORTAL_LEDGER.batch
    newest = (
        select(func.max(table.c.number))
        .where(table.c.kind == KIND, table.c.dry_run.is_(False))
        .group_by(table.c.owner)
    )
    rows = session.execute(
        select(table.c.owner, table.c.job_id, table.c.sha256, table.c.state).where(
            table.c.number.in_(newest), table.c.state.in_(CUT_SHORT), table.c.job_id.is_not(None)
        )
    )
    return {
        row.owner: CutShort(job_id=row.job_id, sha256=row.sha256, state=BatchState(row.state))
        for row in rows
    }


def find_processor(session: Session, *, name: str, folder: Folder = Folder.ROOT) -> str:
    """The processor whose batch left a pending file or a backup; empty where nobody knows."""
    order = find_order(session, name=name, folder=folder)
    return order.processor if order else ""


def find_order(session: Session, *, name: str, folder: Folder = Folder.ROOT) -> BatchOrder | None:
    """What the batch was asked to do that left a pending file or a backup."""
    table = PORTAL_LEDGER.batch
    pending = find_pending(name)
    if folder is not Folder.ROOT:
        mark = name.removesuffix(CSV).rpartition(".")[2]
        of_file = table.c.id.startswith(mark, autoescape=True)
    elif pending is not None:
        owners = (pending.stem, pending.stem + CSV, name)
        of_file = table.c.owner.in_(owners) & (table.c.mode == pending.mode)
    else:
        return None
    known = select(table).where(table.c.kind == KIND, table.c.dry_run.is_(False))
    newest = known.where(of_file).order_by(table.c.number.desc()).limit(1)
    row = session.execute(newest).one_or_none()
    return None if row is None else batch_of(row).order
