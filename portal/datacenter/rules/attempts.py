"""Which waiting files rules tried: every file once, however many processes look at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from portal.datacenter.disk import Entry
from portal.datacenter.models import DataCenterFact
from portal.datacenter.rules.models import WatchAttempt
from portal.datacenter.runs import KIND
from portal.db import changed
from portal.jobs.models import Job, JobState
from portal.rows.batch import BatchState
from portal.rows.models import PORTAL_LEDGER

AT_ONCE = 500
_SETTLED = (str(BatchState.DONE), str(BatchState.UNDONE))


@dataclass(frozen=True, kw_only=True)
class Tried:
    """An attempt as somebody saw it; `succeeded`: its job did all that was to be done."""

    name: str
    size: int
    mtime_ns: int
    number: int
    succeeded: bool

    def is_of(self, entry: Entry) -> bool:
        """Whether it was this very file. After a success the file went: one there is another."""
        return (self.size, self.mtime_ns) == (entry.size, entry.mtime_ns) and not self.succeeded


def attempts(session: Session) -> dict[str, Tried]:
    """All attempts by the file's name on disk."""
    query = select(WatchAttempt, Job.state).outerjoin(Job, Job.id == WatchAttempt.job_id)
    return {
        attempt.name: Tried(
            name=attempt.name,
            size=attempt.size,
            mtime_ns=attempt.mtime_ns,
            number=attempt.number,
            succeeded=state == JobState.SUCCEEDED,
        )
        for attempt, state in session.execute(query)
    }


def claim_attempt(
    session: Session, *, entry: Entry, rule_id: int, before: Tried | None, now: datetime
) -> WatchAttempt | None:
    """Take the one try at a file, where the attempts are still as they were seen; else None."""
    values = {
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
        "number": before.number + 1 if before else 1,
        "rule_id": rule_id,
        "job_id": None,
        "fault": "",
        "at": now,
    }
    taken = (
        _insert(session, {"name": entry.name, **values})
        if before is None
        else _update(session, before, values)
    )
    return session.get(WatchAttempt, entry.name, populate_existing=True) if taken else None


def forget_absent(session: Session, *, absent: Iterable[Tried]) -> None:
    """Forget the attempts at files that wait no more, unless they were tried anew meanwhile."""
    for tried in list(absent)[:AT_ONCE]:
        session.execute(
            delete(WatchAttempt).where(
                WatchAttempt.name == tried.name, WatchAttempt.number == tried.number
            )
        )


def forget_faults(session: Session, *, rule_id: int) -> None:
    """Let the files be tried again for which a rule could not ask."""
    session.execute(
        delete(WatchAttempt).where(WatchAttempt.rule_id == rule_id, WatchAttempt.job_id.is_(None))
    )


def begun(session: Session, *, facts: Mapping[str, DataCenterFact]) -> set[str]:
    """The files of which a batch that somebody asked for has done a part, and is not through."""
    table = PORTAL_LEDGER.batch
    found: set[str] = set()
    names = sorted(facts)
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        rows = session.execute(
            select(table.c.owner, table.c.created_at, table.c.state, Job.state.label("job"))
            .outerjoin(Job, Job.id == table.c.job_id)
            .where(table.c.kind == KIND, table.c.dry_run.is_(False))
            .where(table.c.created_at >= min(facts[name].at for name in part))
            .where(table.c.owner.in_(part))
        )
        found |= {
            row.owner
            for row in rows
            if row.created_at >= facts[row.owner].at
            and not (row.state in _SETTLED and row.job == JobState.SUCCEEDED)
        }
    return found


def _insert(session: Session, values: Mapping[str, object]) -> bool:
    dialect = session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    statement = insert(WatchAttempt).values(**values).on_conflict_do_nothing()
    row = session.execute(statement.returning(WatchAttempt.name)).one_or_none()
    return row is not None


def _update(session: Session, before: Tried, values: Mapping[str, object]) -> bool:
    statement = (
        update(WatchAttempt)
        .where(WatchAttempt.name == before.name, WatchAttempt.number == before.number)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return changed(session, statement) == 1
