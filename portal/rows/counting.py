"""How many records there are, of processors whose records can be counted."""

from typing import Protocol, runtime_checkable

from sqlalchemy.orm import Session

from portal.rows.processors import Acting, Processor


@runtime_checkable
class Counting(Protocol):
    """Records that can say how many they are, so that a large removal is known as one."""

    def count(self, session: Session, *, acting: Acting) -> int:
        """How many records there are that the actor may know of."""
        ...


def count_records(session: Session, processor: Processor, *, acting: Acting) -> int | None:
    """How many records `processor` has; None where they cannot be counted."""
    records = processor.records
    return records.count(session, acting=acting) if isinstance(records, Counting) else None
