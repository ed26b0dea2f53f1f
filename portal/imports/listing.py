"""Lists of imports for pages: narrowed by table, state and text, the newest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.imports.creating.orders import CREATE
from portal.imports.orders import APPLY, LANE_LENGTH, PLAN, RUN
from portal.imports.words import KIND, MISSING
from portal.jobs.models import ACTIVE, Job, JobState
from portal.jobs.queries import JobRow
from portal.jobs.views import JobView, view_rows
from portal.rows.batch import Batch
from portal.rows.batch_row import batch_of
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from portal.tables.actions import Rights
from portal.tables.grants import SUBJECT, place_of, rights_of
from portal.tables.service import SEEN

LISTED = (RUN, PLAN, APPLY, CREATE)
AT_ONCE = 200
MISSED_DAYS = 7
_MISSING = MISSING.partition("{")[0]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which imports a list shows; `before` is the number of a job."""

    table: str = ""
    state: str = ""
    text: str = ""
    before: int = 0

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.table or self.state or self.text)


@dataclass(frozen=True, kw_only=True)
class Line:
    """An import in a list; `batch` is None where its file never came to rows, or not yet."""

    job: JobView
    table: str
    mode: str
    file_name: str
    dry_run: bool
    text: str
    batch: Batch | None


@dataclass(frozen=True, kw_only=True)
class MissingFile:
    """A file that a schedule expected, and that was not there."""

    path: str
    table: str
    job_id: str
    at: datetime | None


def list_page(
    session: Session, *, runtime: Runtime, actor: Actor, wanted: Wanted, limit: int
) -> list[Line]:
    """Imports and dry runs that `actor` may see, at most `limit`."""
    rights = rights_of(session, settings=runtime.settings, actor=actor)
    found: list[Job] = []
    for job in _jobs(session, wanted):
        if _is_shown(job, runtime, rights) and _is_about(job, wanted.table):
            found.append(job)
            if len(found) == limit:
                break
    batches = _batches(session, found)
    views = view_rows(cast("Sequence[JobRow]", found), runtime=runtime)
    return [_line(job, view, batches) for job, view in zip(found, views, strict=True)]


def count_active(session: Session, actor: Actor) -> int:
    """How many imports are queued or running, of those that `actor` may list."""
    query = select(func.count()).where(Job.area == KIND, Job.state.in_(ACTIVE))
    if not actor.may(Permission.JOBS_VIEW_ALL):
        query = query.where(Job.requester_id == actor.user_id)
    return session.scalar(query) or 0


def missing_files(
    session: Session, *, runtime: Runtime, actor: Actor, now: datetime
) -> list[MissingFile]:
    """Expected files that were not there when they were last asked for, in the last days."""
    rights = rights_of(session, settings=runtime.settings, actor=actor)
    query = select(Job).where(
        Job.area == KIND,
        Job.kind == RUN,
        Job.state == JobState.FAILED,
        Job.ended_at > now - timedelta(days=MISSED_DAYS),
        Job.reason.startswith(_MISSING, autoescape=True),
    )
    newest: dict[tuple[str, str], Job] = {}
    for job in session.scalars(query.order_by(Job.number.desc()).limit(AT_ONCE)):
        if _is_shown(job, runtime, rights):
            newest.setdefault((str(job.args["path"]), str(job.args["table"])), job)
    return [
        MissingFile(path=path, table=table, job_id=job.id, at=job.ended_at)
        for (path, table), job in newest.items()
        if not _came_since(session, job)
    ]


def _came_since(session: Session, job: Job) -> bool:
    """Whether the file was there at a later time."""
    later = select(Job).where(
        Job.subject_kind == job.subject_kind,
        Job.subject_id == job.subject_id,
        Job.kind == RUN,
        Job.number > job.number,
    )
    return any(one.args.get("path") == job.args["path"] for one in session.scalars(later))


def _jobs(session: Session, wanted: Wanted) -> Iterator[Job]:
    """Those that are wanted, page by page."""
    query, before = select(Job).where(*_conditions(wanted)), wanted.before
    while True:
        below = (Job.number < before,) if before else ()
        page = session.scalars(query.where(*below).order_by(Job.number.desc()).limit(AT_ONCE)).all()
        yield from page
        if len(page) < AT_ONCE:
            return
        before = page[-1].number


def _conditions(wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    found: list[ColumnElement[bool]] = [Job.area == KIND, Job.kind.in_(LISTED)]
    if wanted.state:
        found.append(Job.state == wanted.state)
    if wanted.text:
        title = Job.title.icontains(wanted.text, autoescape=True)
        found.append(or_(title, Job.id.startswith(wanted.text.lower(), autoescape=True)))
    if wanted.table:
        subject = and_(Job.subject_kind == SUBJECT, _names(wanted.table))
        found.append(or_(subject, Job.kind == APPLY))
    return tuple(found)


def _names(table: str) -> ColumnElement[bool]:
    """A job asked for by a schedule names the table and the path."""
    plain = Job.subject_id == table[:LANE_LENGTH]
    return or_(plain, Job.subject_id.startswith(f"{table}: "[:LANE_LENGTH], autoescape=True))


def _is_about(job: Job, table: str) -> bool:
    return not table or job.args.get("table") == table


def _is_shown(job: Job, runtime: Runtime, rights: Rights) -> bool:
    actor = rights.actor
    if actor.may(Permission.JOBS_VIEW_ALL) or job.requester_id == actor.user_id is not None:
        return True
    here = job.args.get("place") == place_of(runtime.settings)
    return here and rights.may_any(str(job.args.get("table", "")), SEEN)


def _batches(session: Session, jobs: Sequence[Job]) -> dict[str, Batch]:
    """The batches of jobs, by the job's id, and by their own."""
    table = PORTAL_LEDGER.batch
    known = [str(job.result["batch"]) for job in jobs if job.result.get("batch")]
    its = or_(table.c.id.in_(known), table.c.job_id.in_([job.id for job in jobs]))
    rows = session.execute(select(table).where(its, table.c.kind == KIND)) if jobs else ()
    found = [batch_of(row) for row in rows]
    return {one.job_id or "": one for one in found} | {one.id: one for one in found}


def _line(job: Job, view: JobView, batches: dict[str, Batch]) -> Line:
    batch = batches.get(str(job.result.get("batch", ""))) or batches.get(job.id)
    named = "" if batch is None else batch.order.file_name
    return Line(
        job=view,
        table=str(job.args.get("table", "")),
        mode=str(job.args.get("mode", "")),
        file_name=str(job.args.get("file_name", named)),
        dry_run=job.kind == PLAN,
        text=str(job.result.get("text") or job.reason).partition("\n")[0],
        batch=batch,
    )
