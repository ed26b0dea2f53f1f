"""What earlier attempts of a batch left in the data centre."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.datacenter.disk import find_entry
from portal.datacenter.facts import facts_of
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import find_intent
from portal.errors import ConflictError
from portal.rows.batch import Batch

REPAIRED = (
    "The pending rows of this batch were replaced by an uploaded file; process that one instead."
)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The last attempt whose results were put in their place, and its pending file in the root."""

    attempt: int = 0
    pending: str = ""


def occasion_of(batch: Batch, attempt: int) -> str:
    """What the distribution of an attempt's results is known by."""
    return f"{batch.id}:{attempt}"


def earlier_results(session: Session, batch: Batch) -> Earlier:
    """What the last attempt before the present one left."""
    for attempt in range(batch.attempt - 1, 0, -1):
        standing = find_intent(session, occasion=occasion_of(batch, attempt))
        if standing is not None and standing.result is not None:
            return Earlier(attempt=attempt, pending=str(standing.result.get("pending", "")))
    return Earlier()


def check_not_repaired(session: Session, *, center: DataCenter, pending: str) -> None:
    """Raise ConflictError where somebody put another file in the place of the pending rows."""
    entry = find_entry(center.storage / pending) if pending else None
    if entry is None:
        return
    fact = facts_of(session, [entry]).get(pending)
    if fact is None or fact.origin != "pending":
        raise ConflictError(REPAIRED)
