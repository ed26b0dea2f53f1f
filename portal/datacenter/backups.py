"""Backups of removed records: which batch made one, and who may see what is in it."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import ForbiddenError
from portal.rows.batch import Batch
from portal.rows.batch_row import batch_of
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Processors
from portal.rows.showing import may_see_records

_NAME = re.compile(r".*\.(?P<batch>[0-9a-f]{8})\.csv", re.DOTALL)


def batch_of_backup(session: Session, name: str) -> Batch | None:
    """The batch that removed the records of the backup called `name`; None where nobody knows."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    table = PORTAL_LEDGER.batch
    rows = session.execute(select(table).where(table.c.id.startswith(found["batch"])).limit(2))
    batches = [batch_of(row) for row in rows]
    return batches[0] if len(batches) == 1 else None


def check_backup(session: Session, *, name: str, actor: Actor, processors: Processors) -> None:
    """Raise ForbiddenError where `actor` may not see the records in the backup called `name`.

    One of which nobody knows what it holds is for administrators.
    """
    batch = batch_of_backup(session, name)
    processor, owner = (batch.order.processor, batch.actor_id) if batch else ("", None)
    if not may_see_records(processors, actor, processor, owner_id=owner):
        raise ForbiddenError("This is a backup of records that you may not see.")
