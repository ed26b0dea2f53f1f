"""The data centre's batches as the error grid knows them."""

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.datacenter.again import check_failed_rows
from portal.datacenter.mappings import rules_with
from portal.datacenter.names import find_pending, pending_name, stem_of
from portal.datacenter.orders import Asking, ask_to_go_on
from portal.datacenter.runs import KIND
from portal.datacenter.service import open_data_center
from portal.rows.batch import Batch, BatchState
from portal.rows.batch_kinds import BatchKind, Wish


def page_of(batch: Batch) -> str:
    """The page that shows a batch."""
    return f"/datacenter/runs/{batch.job_id}" if batch.job_id else "/datacenter/batches"


def _may_view(_session: Session, actor: Actor, _batch: Batch) -> bool:
    return actor.may(Permission.DATACENTER_VIEW)


def _may_repair(_session: Session, actor: Actor, _batch: Batch) -> bool:
    return actor.may(Permission.IMPORTS_RUN)


def _check_retry(session: Session, batch: Batch, wish: Wish) -> None:
    center = open_data_center(wish.runtime)
    check_failed_rows(session, batch, center=center, asking=_asking(wish))


def _retry(session: Session, batch: Batch, wish: Wish) -> str:
    center = open_data_center(wish.runtime)
    submitted = ask_to_go_on(session, batch=batch, center=center, asking=_asking(wish))
    return f"/datacenter/runs/{submitted.job.id}"


def _asking(wish: Wish) -> Asking:
    return Asking(
        actor=wish.actor,
        now=wish.now,
        kinds=wish.kinds,
        waker=wish.waker,
        processors=wish.processors,
        address=wish.address,
    )


def _failing_name(batch: Batch) -> str:
    """That of the pending file where one was made, so that it is known again when uploaded."""
    order = batch.order
    of_root = "/" not in order.owner and not order.dry_run
    if not of_root or batch.state is not BatchState.DONE:
        return f"{stem_of(order.file_name)}.errors.csv"
    pending = find_pending(order.file_name) is not None
    return order.file_name if pending else pending_name(stem_of(order.file_name), order.mode)


DATACENTER = BatchKind(
    name=KIND,
    label="Data centre",
    url="/datacenter",
    may_view=_may_view,
    may_repair=_may_repair,
    check_retry=_check_retry,
    retry=_retry,
    page=page_of,
    failing_name=_failing_name,
    works_with=rules_with,
)
