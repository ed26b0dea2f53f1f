"""Jobs as people see them: everything that the one status fragment and the lists show."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.handouts import ARTIFACT, deliver_base
from portal.artifacts.service import artifacts_of_job
from portal.errors import NotFoundError
from portal.jobs import queries
from portal.jobs.glances import Glance, glance, raw_progresses
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState, Notification
from portal.jobs.outcomes import RETRYABLE
from portal.jobs.progress import Progress, from_json
from portal.jobs.queries import JobRow
from portal.jobs.service import may_manage, may_view
from portal.jobs.status import is_hung
from portal.runtime import Runtime

HUNG = "hung"
STOPPING = "stopping"
WORDS = {
    JobState.QUEUED: "Queued",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Succeeded",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
    JobState.INTERRUPTED: "Interrupted",
    HUNG: "Hung",
    STOPPING: "Stopping",
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """Something on another page. `deliver_url` is where a file can be handed to a channel."""

    url: str
    label: str
    size: int | None = None
    deliver_url: str = ""


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job with everything that is shown of it; what its viewer may not have is not in it."""

    id: str
    number: int
    title: str
    area: str
    kind: str
    state: str
    word: str
    shown_state: str
    active: bool
    attempt: int
    requester: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration: timedelta | None
    reason: str
    progress: Progress | None
    redis_away: bool
    silent_since: datetime | None
    place: int | None
    waits_for: Link | None
    result: Mapping[str, Any]
    artifacts: tuple[Link, ...]
    may_cancel: bool
    may_retry: bool

    @property
    def url(self) -> str:
        """The job's own page."""
        return f"/jobs/{self.id}"

    @property
    def rate(self) -> str:
        """How much is done in a second, with its unit; empty where nobody knows."""
        if self.progress is None or self.progress.rate is None:
            return ""
        rate = self.progress.rate
        return f"{rate:,.0f}".replace(",", " ") if rate >= 10 else f"{rate:.1f}"


def view_job(
    session: Session, *, runtime: Runtime, kinds: Kinds, actor: Actor, job: Job
) -> JobView:
    """A job for `jobs/_job.html`; the caller has checked that `actor` may see it."""
    row = queries.find_row(session, job_id=job.id)
    if row is None:
        raise NotFoundError("This job is gone.")
    return view_glance(
        session, kinds=kinds, actor=actor, seen=glance(session, runtime=runtime, row=row),
        now=runtime.clock(),
    )  # fmt: skip


def view_latest(
    session: Session,
    *,
    runtime: Runtime,
    kinds: Kinds,
    actor: Actor,
    kind: str,
    subject_kind: str,
    subject_id: str,
) -> JobView | None:
    """The newest job of `kind` about a subject that `actor` may see; None where there is none."""
    row = queries.latest_row(session, kind=kind, subject_kind=subject_kind, subject_id=subject_id)
    if row is None or not sees(session, kinds=kinds, actor=actor, row=row):
        return None
    seen = glance(session, runtime=runtime, row=row)
    return view_glance(session, kinds=kinds, actor=actor, seen=seen, now=runtime.clock())


def view_glance(
    session: Session, *, kinds: Kinds, actor: Actor, seen: Glance, now: datetime
) -> JobView:
    """What `seen` shows to `actor`."""
    manages = _manages(session, kinds, actor, seen.row)
    row = seen.row
    return JobView(
        **_facts(row, hung=seen.hung, now=now),
        progress=_progress(row, seen.progress),
        redis_away=seen.redis_away,
        silent_since=seen.silent_since,
        place=seen.place,
        waits_for=_blocker_link(session, kinds, actor, seen.blocker),
        result=row.result,
        artifacts=() if seen.active else _artifact_links(session, actor, row.id),
        may_cancel=seen.active and manages and row.cancel_requested_at is None,
        may_retry=row.state in RETRYABLE and manages,
    )


def view_rows(rows: Iterable[JobRow], *, runtime: Runtime) -> list[JobView]:
    """Rows of a list: state and progress, without place, artifacts and buttons."""
    rows = list(rows)
    progress, away = raw_progresses(runtime, rows)
    now = runtime.clock()
    return [
        JobView(
            **_facts(row, hung=_hangs(row, now), now=now),
            progress=_progress(row, progress.get(row.id)),
            redis_away=away,
            silent_since=None,
            place=None,
            waits_for=None,
            result={},
            artifacts=(),
            may_cancel=False,
            may_retry=False,
        )
        for row in rows
    ]


def sees(session: Session, *, kinds: Kinds, actor: Actor, row: JobRow) -> bool:
    """Say whether `actor` may see the job of `row`; only strangers cost a look at the object."""
    if actor.user_id is not None and row.requester_id == actor.user_id:
        return True
    if actor.may(Permission.JOBS_VIEW_ALL):
        return True
    job = session.scalar(select(Job).where(Job.id == row.id))
    return job is not None and may_view(session, kinds=kinds, actor=actor, job=job)


def active_count(session: Session, actor: Actor) -> int:
    """How many jobs that `actor` may list are queued or running."""
    return queries.count_active(session, actor=actor)


def unread_count(session: Session, actor: Actor) -> int:
    """How many notifications `actor` has not read."""
    query = select(func.count()).where(
        Notification.user_id == actor.user_id, Notification.read_at.is_(None)
    )
    return session.execute(query).scalar_one()


def _facts(row: JobRow, *, hung: bool, now: datetime) -> dict[str, Any]:
    state = JobState(row.state)
    stopping = state.active and row.cancel_requested_at is not None
    shown = HUNG if hung else STOPPING if stopping else state
    return {
        "id": row.id,
        "number": row.number,
        "title": row.title,
        "area": row.area,
        "kind": row.kind,
        "state": str(state),
        "shown_state": str(shown),
        "word": WORDS[shown],
        "active": state.active,
        "attempt": row.attempt,
        "requester": row.requester_name,
        "created_at": row.created_at,
        "started_at": None if state is JobState.QUEUED else row.started_at,
        "ended_at": row.ended_at,
        "duration": _duration(row, now),
        "reason": row.reason,
    }


def _duration(row: JobRow, now: datetime) -> timedelta | None:
    if row.started_at is None or row.state == JobState.QUEUED:
        return None
    length: timedelta = (row.ended_at or now) - row.started_at
    return max(timedelta(), length)


def _hangs(row: JobRow, now: datetime) -> bool:
    return row.state == JobState.RUNNING and is_hung(row.started_at, now=now)


def _progress(row: JobRow, raw: bytes | None) -> Progress | None:
    """What Redis says of this very attempt; what was kept at the end for ended jobs."""
    if row.state == JobState.QUEUED:
        return None
    if row.state != JobState.RUNNING:
        return from_json(row.progress)
    live = from_json(json.loads(raw)) if raw else None
    return live if live is not None and live.attempt == row.attempt else None


def _manages(session: Session, kinds: Kinds, actor: Actor, row: JobRow) -> bool:
    # may_manage reads kind and args, which the row has under the same names
    return may_manage(session, kinds=kinds, actor=actor, job=cast("Job", row))


def _blocker_link(
    session: Session, kinds: Kinds, actor: Actor, blocker: JobRow | None
) -> Link | None:
    if blocker is None:
        return None
    if sees(session, kinds=kinds, actor=actor, row=blocker):
        return Link(url=f"/jobs/{blocker.id}", label=blocker.title)
    return Link(url="", label="another person's job")


def _artifact_links(session: Session, actor: Actor, job_id: str) -> tuple[Link, ...]:
    deliver = deliver_base(actor, ARTIFACT)
    return tuple(
        Link(
            url=f"/artifacts/{artifact.id}",
            label=artifact.name,
            size=artifact.size,
            deliver_url=deliver and f"{deliver}{artifact.id}",
        )
        for artifact in artifacts_of_job(session, job_id)
    )
