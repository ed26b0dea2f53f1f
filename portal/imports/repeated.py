"""Noticing that the very same file was imported into a table before. It is a warning only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.imports.words import KIND, processor_of
from portal.rows.batch import BatchState
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Mode


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An import of the same file that is done and was not undone."""

    batch_id: str
    job_id: str | None
    at: datetime
    by: str

    @property
    def warning(self) -> str:
        """What is to be said of it."""
        day = self.at.strftime("%Y-%m-%d %H:%M")
        return f"The same file was imported into this table on {day} UTC by {self.by} already."


def find_earlier(
    session: Session, *, table: str, mode: Mode, sha256: str, place: str, but: str = ""
) -> Earlier | None:
    """The last import of the file with this hash, in the same mode; None for none (but `but`)."""
    batch = PORTAL_LEDGER.batch
    found = session.execute(
        select(batch)
        .where(
            batch.c.kind == KIND,
            batch.c.processor == processor_of(table),
            batch.c.mode == str(mode),
            batch.c.sha256 == sha256,
            batch.c.owner == place,
            batch.c.state == str(BatchState.DONE),
            batch.c.dry_run.is_(False),
            batch.c.id != but,
        )
        .order_by(batch.c.number.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    at = found.ended_at or found.created_at
    return Earlier(batch_id=found.id, job_id=found.job_id, at=at, by=found.actor_name)
