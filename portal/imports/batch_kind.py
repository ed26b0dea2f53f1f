"""Imports as the error grid knows them."""

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.imports.mappings import schedules_with
from portal.imports.orders import ask_to_go_on, check_may_change
from portal.imports.rights import may_import, may_see
from portal.imports.words import KIND, ImportMode, table_of
from portal.rows.batch import Batch
from portal.rows.batch_kinds import BatchKind, Wish


def page_of(batch: Batch) -> str:
    """The page that shows an import."""
    return f"/imports/{batch.job_id}" if batch.job_id else "/imports"


def _may_view(session: Session, actor: Actor, batch: Batch) -> bool:
    order = batch.order
    return may_see(session, actor, place=order.owner, table=table_of(order.processor))


def _may_repair(session: Session, actor: Actor, batch: Batch) -> bool:
    order, mode = batch.order, ImportMode.of(batch.order.mode)
    table = table_of(order.processor)
    return may_import(session, actor, place=order.owner, table=table, mode=mode)


def _retry(session: Session, batch: Batch, wish: Wish) -> str:
    return f"/imports/{ask_to_go_on(session, batch=batch, wish=wish).job.id}"


IMPORTS = BatchKind(
    name=KIND,
    label="Imports",
    url="/imports",
    may_view=_may_view,
    may_repair=_may_repair,
    check_retry=check_may_change,
    retry=_retry,
    page=page_of,
    works_with=schedules_with,
)
