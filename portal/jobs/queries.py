"""What pages ask of the ledger: statements over columns, without building objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Actor, Permission
from portal.db import Reader, db_now
from portal.jobs.models import ACTIVE, Job, JobAttempt, JobLogLine, JobState

PAGE = 50
LOG_PAGE = 200
FAR_PLACE = 1000
SEARCHED_AT_ONCE = 5_000

JobRow: TypeAlias = Row[*tuple[Any, ...]]

_job = Job.__table__.c
_COLUMNS = (
    _job.number,
    _job.id,
    _job.kind,
    _job.area,
    _job.title,
    _job.subject_kind,
    _job.subject_id,
    _job.queue,
    _job.lane,
    _job.args,
    _job.state,
    _job.attempt,
    _job.token,
    _job.lease_until,
    _job.cancel_requested_at,
    _job.requester_id,
    _job.requester_name,
    _job.created_at,
    _job.started_at,
    _job.ended_at,
    _job.reason,
    _job.result,
    _job.progress,
)
_LOOKED_AT = (*_COLUMNS, db_now().label("looked_at"))  # by the clock of leases
_BY_ID = select(*_LOOKED_AT).where(_job.id == bindparam("job_id"))
_AHEAD = select(func.count()).select_from(
    select(_job.number)
    .where(
        _job.state == JobState.QUEUED,
        _job.queue == bindparam("queue"),
        _job.number < bindparam("number"),
    )
    .limit(FAR_PLACE)
    .subquery()
)


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs a list shows. `user` is a user's name; `text` may stand in title or subject."""

    all_users: bool = False
    area: str = ""
    state: str = ""
    user: str = ""
    text: str = ""
    older_than: int | None = None
    newer_than: int | None = None
    until: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but the scope is asked for."""
        return bool(self.area or self.state or self.user or self.text)


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """One page of a list, the newest first, and whether there is more on either side.

    `searched_down_to` is set where a text was looked for among the newest jobs only.
    """

    rows: Sequence[JobRow]
    newer: bool
    older: bool
    searched_down_to: int | None = None


def find_row(reader: Reader, *, job_id: str) -> JobRow | None:
    """The columns of the job with exactly this id, and when they were looked at."""
    return reader.execute(_BY_ID, {"job_id": job_id}).one_or_none()


def place_of(reader: Reader, row: JobRow) -> int | None:
    """How many jobs come before a queued one in its queue (at most 1000), None for the others."""
    if row.state != JobState.QUEUED:
        return None
    return reader.execute(_AHEAD, {"queue": row.queue, "number": row.number}).scalar_one()


def list_jobs(session: Session, *, actor: Actor, wanted: JobFilter, size: int = PAGE) -> JobPage:
    """A page of the jobs that `actor` may list: his own, all of them with the right."""
    conditions = _conditions(session, actor, wanted)
    floor = _search_floor(session, wanted)
    if wanted.newer_than is not None:
        return _newer_page(session, conditions, wanted.newer_than, size)
    top = _upper_bound(wanted)
    query = select(*_COLUMNS).where(*conditions, *top).order_by(_job.number.desc())
    if floor is not None:
        query = query.where(_job.number > floor)
    rows = session.execute(query.limit(size + 1)).all()
    shown = rows[:size]
    newest = shown[0].number if shown else wanted.older_than or wanted.until
    return JobPage(
        rows=shown,
        newer=newest is not None and bool(top) and _exists(session, conditions, newest),
        older=len(rows) > size or floor is not None,
        searched_down_to=floor if len(rows) <= size else None,
    )


def active_rows(session: Session, *, actor: Actor, size: int = 8) -> Sequence[JobRow]:
    """The jobs that run or wait now, running ones first, the oldest first."""
    query = select(*_COLUMNS).where(_job.state.in_(ACTIVE), *_visible(actor))
    return session.execute(query.order_by(_job.state.desc(), _job.number).limit(size)).all()


def troubled_rows(
    session: Session, *, actor: Actor, since: datetime, hung_since: datetime, size: int = 8
) -> tuple[Sequence[JobRow], int]:
    """The newest jobs that want attention, and how many do.

    They failed or were interrupted lately, or run far too long.
    """
    bad = (JobState.FAILED, JobState.INTERRUPTED)
    ended = select(_job.number).where(_job.state.in_(bad), _job.ended_at > since)
    hung = select(_job.number).where(_job.state == JobState.RUNNING, _job.started_at < hung_since)
    wanted = (or_(_job.number.in_(ended), _job.number.in_(hung)), *_visible(actor))
    newest = select(*_COLUMNS).where(*wanted).order_by(_job.number.desc()).limit(size)
    rows = session.execute(newest).all()
    if len(rows) < size:
        return rows, len(rows)
    return rows, session.execute(select(func.count()).where(*wanted)).scalar_one()


def latest_row(session: Session, *, kind: str, subject_kind: str, subject_id: str) -> JobRow | None:
    """The newest job of `kind` about this subject, as `find_row` has it."""
    query = select(*_LOOKED_AT).where(
        _job.subject_kind == subject_kind, _job.subject_id == subject_id, _job.kind == kind
    )
    return session.execute(query.order_by(_job.number.desc()).limit(1)).one_or_none()


def count_active(session: Session, *, actor: Actor) -> int:
    """How many of the jobs that `actor` may list are queued or running."""
    query = select(func.count()).where(_job.state.in_(ACTIVE), *_visible(actor))
    return session.execute(query).scalar_one()


def count_ended(session: Session, *, actor: Actor, since: datetime) -> dict[str, int]:
    """How many jobs ended since then, by state."""
    ended = [state for state in JobState if not state.active]
    query = select(_job.state, func.count()).where(
        _job.state.in_(ended), _job.ended_at > since, *_visible(actor)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(_job.state))}


def attempt_rows(session: Session, *, job_id: str) -> Sequence[JobRow]:
    """All attempts at a job without their tracebacks, the newest first."""
    attempt = JobAttempt.__table__.c
    query = select(*(column for column in attempt if column.name != "traceback"))
    return session.execute(
        query.where(attempt.job_id == job_id).order_by(attempt.number.desc())
    ).all()


def tracebacks(session: Session, *, job_id: str) -> dict[int, str]:
    """The tracebacks of a job's attempts by their number. For administrators only."""
    query = select(JobAttempt.number, JobAttempt.traceback).where(
        JobAttempt.job_id == job_id, JobAttempt.traceback != ""
    )
    return {row[0]: row[1] for row in session.execute(query)}


def log_lines(
    session: Session,
    *,
    job_id: str,
    attempt: int,
    before: int | None = None,
    after: int | None = None,
) -> Sequence[JobRow]:
    """A page of log lines in their order: the last, those before a line, or those after one."""
    line = JobLogLine.__table__.c
    query = select(line.id, line.at, line.level, line.message).where(
        line.job_id == job_id, line.attempt == attempt
    )
    if after is not None:
        forward = query.where(line.id > after).order_by(line.id)
        return session.execute(forward.limit(LOG_PAGE)).all()
    if before is not None:
        query = query.where(line.id < before)
    newest = session.execute(query.order_by(line.id.desc()).limit(LOG_PAGE)).all()
    return newest[::-1]


def _conditions(
    session: Session, actor: Actor, wanted: JobFilter
) -> tuple[ColumnElement[bool], ...]:
    every = actor.may(Permission.JOBS_VIEW_ALL) and wanted.all_users
    conditions = () if every else (_own(actor),)
    if wanted.area:
        conditions = (*conditions, _job.area == wanted.area)
    if wanted.state:
        conditions = (*conditions, _job.state == wanted.state)
    if wanted.user and every:
        conditions = (*conditions, _asked_by(session, wanted.user))
    if wanted.text:
        conditions = (*conditions, _mentions(wanted.text))
    return conditions


def _visible(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return () if actor.may(Permission.JOBS_VIEW_ALL) else (_own(actor),)


def _own(actor: Actor) -> ColumnElement[bool]:
    return _job.requester_id == actor.user_id


def _asked_by(session: Session, name: str) -> ColumnElement[bool]:
    if name == SYSTEM.name:
        return _job.requester_id.is_(None)
    user_id = session.scalar(select(User.id).where(func.lower(User.name) == name.lower()))
    return _job.requester_id == (-1 if user_id is None else user_id)


def _mentions(text: str) -> ColumnElement[bool]:
    return or_(
        _job.title.icontains(text, autoescape=True),
        _job.subject_id.icontains(text, autoescape=True),
        _job.id.startswith(text.lower(), autoescape=True),
    )


def _upper_bound(wanted: JobFilter) -> tuple[ColumnElement[bool], ...]:
    if wanted.older_than is not None:
        return (_job.number < wanted.older_than,)
    return () if wanted.until is None else (_job.number <= wanted.until,)


def _search_floor(session: Session, wanted: JobFilter) -> int | None:
    """Down to which number a text is looked for at once; None where that is all."""
    if not wanted.text:
        return None
    top = wanted.older_than or wanted.until
    if top is None:
        top = session.execute(select(func.max(_job.number))).scalar_one() or 0
    return top - SEARCHED_AT_ONCE if top > SEARCHED_AT_ONCE else None


def _newer_page(
    session: Session, conditions: tuple[ColumnElement[bool], ...], newer_than: int, size: int
) -> JobPage:
    query: Select[Any] = select(*_COLUMNS).where(*conditions, _job.number > newer_than)
    rows = session.execute(query.order_by(_job.number).limit(size + 1)).all()
    return JobPage(rows=rows[:size][::-1], newer=len(rows) > size, older=True)


def _exists(session: Session, conditions: tuple[ColumnElement[bool], ...], newer_than: int) -> bool:
    query = select(_job.number).where(*conditions, _job.number > newer_than).limit(1)
    return session.execute(query).first() is not None
