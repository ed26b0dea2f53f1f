"""What earlier attempts of a batch left in the data centre."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.datacenter.disk import find_entry
from portal.datacenter.facts import facts_of
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import Standing, find_intent
from portal.errors import ConflictError
from portal.rows.batch import Batch

REPAIRED = (
    "The pending rows of this batch were replaced by an uploaded file; process that one instead."
)
COMPLETED = "The pending rows of this batch were processed from their file meanwhile."


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The last attempt whose results were put in their place, and its pending file in the root."""

    attempt: int = 0
    pending: str = ""
    original: str = ""


def occasion_of(batch: Batch, attempt: int) -> str:
    """What the distribution of an attempt's results is known by."""
    return f"{batch.id}:{attempt}"


def earlier_results(session: Session, batch: Batch) -> Earlier:
    """What the last attempt before the present one left."""
    for attempt in range(batch.attempt - 1, 0, -1):
        standing = find_intent(session, occasion=occasion_of(batch, attempt))
        if standing is not None and standing.result is not None:
            left = standing.result
            return Earlier(
                attempt=attempt,
                pending=str(left.get("pending", "")),
                original=str(left.get("original", "")),
            )
    return Earlier()


def results_of(session: Session, batch: Batch) -> list[Standing]:
    """What was done with files for each attempt of a batch, the oldest first."""
    found = (
        find_intent(session, occasion=occasion_of(batch, attempt))
        for attempt in range(1, batch.attempt + 1)
    )
    return [standing for standing in found if standing is not None and standing.result is not None]


def check_not_repaired(session: Session, *, center: DataCenter, earlier: Earlier) -> None:
    """Raise ConflictError where the pending rows were replaced, or completed, by another file."""
    if not earlier.pending:
        return
    entry = find_entry(center.storage / earlier.pending)
    if entry is None:
        if not (center.storage / earlier.original).is_file():
            raise ConflictError(COMPLETED)
        return
    fact = facts_of(session, [entry]).get(earlier.pending)
    if fact is None or fact.origin != "pending":
        raise ConflictError(REPAIRED)
