"""Removals of many records: which of them a second person has to approve, and who may."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.actors import actor_of, find_actor
from portal.accounts.models import User, UserRole
from portal.accounts.permissions import ROLE_PERMISSIONS, Actor, Permission
from portal.datacenter.models import RemovalApproval
from portal.errors import ConflictError, ForbiddenError
from portal.rows.batch import Batch
from portal.rows.processors import Mode, Processor, Processors, Store

FEW = 10
WHOLE = 100
SECOND = "A second person with the right must approve it."
WAITS = f"This removal waits. {SECOND}"
OWN = "Whoever asked for a removal cannot approve it; another person with the right can."
MAY_NOT = "You may not remove such records, so you may not approve their removal."


@dataclass(frozen=True, kw_only=True)
class Extent:
    """A removal of `rows` rows from `records` records; None where nobody can count those."""

    rows: int
    records: int | None

    def exceeds(self, share: int) -> bool:
        """Whether that is more than `share` percent of the records, and not just a few rows."""
        if self.rows < FEW or share >= WHOLE:
            return False
        return self.records is None or self.most * WHOLE > share * self.records

    @property
    def most(self) -> int:
        """How many records can go at most."""
        return self.rows if self.records is None else min(self.rows, self.records)

    def told(self, processor: Processor) -> str:
        """The same for people: `120 of 150 users would be removed.`"""
        title = processor.title[:1].lower() + processor.title[1:]
        if self.records is None:
            return f"Up to {self.most:,} records would be removed ({title})."
        what = f"rows of {title}" if processor.store is Store.TABLES else title
        return f"{self.most:,} of {self.records:,} {what} would be removed."


def find_approval(session: Session, batch: Batch) -> RemovalApproval | None:
    """What was asked of a second person, and whether it was given; None if nothing was."""
    return session.get(RemovalApproval, batch.id)


def extent_of(approval: RemovalApproval) -> Extent:
    """How much a removal would take, as it was when it was asked for."""
    return Extent(rows=approval.rows, records=approval.records)


def ask_for_approval(session: Session, *, batch: Batch, extent: Extent, now: datetime) -> None:
    """Note that a second person is needed; what somebody approved before counts no more."""
    session.merge(
        RemovalApproval(
            batch_id=batch.id,
            rows=extent.rows,
            records=extent.records,
            asked_at=now,
            by_id=None,
            by_name="",
            at=None,
        )
    )
    session.flush()


def withdraw(session: Session, batch: Batch) -> None:
    """Ask nobody any more: the rest of the batch is put aside, or is no large removal now."""
    asked = delete(RemovalApproval).where(RemovalApproval.batch_id == batch.id)
    session.execute(asked.where(RemovalApproval.at.is_(None)))


def check_not_waiting(session: Session, batch: Batch) -> None:
    """Raise ConflictError where a second person has to approve the batch first."""
    approval = find_approval(session, batch)
    if approval is not None and approval.at is None:
        raise ConflictError(WAITS)


def is_approved(session: Session, batch: Batch, *, processors: Processors) -> bool:
    """Whether another person approved the batch who still may."""
    approval = find_approval(session, batch)
    if approval is None or approval.at is None:
        return False
    actor = find_actor(session, approval.by_id)
    return actor is not None and may_approve(actor, batch, processors=processors)


def may_approve(actor: Actor, batch: Batch, *, processors: Processors) -> bool:
    """Whether `actor` is another than who asked for the batch, and could have asked for it."""
    return actor.user_id != batch.actor_id and _may_remove(actor, batch, processors)


def check_may_approve(actor: Actor, batch: Batch, *, processors: Processors) -> None:
    """Raise ForbiddenError where `actor` may not approve the removal."""
    if not _may_remove(actor, batch, processors):
        raise ForbiddenError(MAY_NOT)
    if actor.user_id == batch.actor_id:
        raise ForbiddenError(OWN)


def approvers(session: Session, batch: Batch, *, processors: Processors) -> Iterator[Actor]:
    """The users who may approve the batch."""
    roles = [str(role) for role, named in ROLE_PERMISSIONS.items() if _RUN in named]
    able = select(UserRole.user_id).where(UserRole.role.in_(roles))
    for user in session.scalars(select(User).where(User.enabled, User.id.in_(able))):
        actor = actor_of(user)
        if may_approve(actor, batch, processors=processors):
            yield actor


_RUN = Permission.IMPORTS_RUN


def _may_remove(actor: Actor, batch: Batch, processors: Processors) -> bool:
    name = batch.order.processor
    return actor.may(_RUN) and processors.allows(actor, name, Mode.REMOVE)
