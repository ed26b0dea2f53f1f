"""Asking for jobs, cancelling and retrying them. Services flush, edges commit."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.jobs import outcomes
from portal.jobs.kinds import Kind, Kinds
from portal.jobs.lanes import wake_lane_after_commit
from portal.jobs.models import ACTIVE, Job, JobAttempt
from portal.jobs.notices import announce
from portal.jobs.wake import Waker, wake_after_commit
from portal.settings import Settings

SHORTEST_PREFIX = 4


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a job is about: a kind and an id, as text; there is no foreign key."""

    kind: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The job that now stands for what was asked; `joined` if it was there already."""

    job: Job
    joined: bool


def submit(
    session: Session,
    *,
    kind: Kind,
    actor: Actor,
    args: dict[str, Any],
    title: str,
    subject: Subject,
    waker: Waker,
    now: datetime,
    lane: str | None = None,
    queue: str | None = None,
    exactly: bool = False,
) -> Submitted:
    """Record a job and wake a worker after the commit; asking for the same joins the active one.

    The same is the same kind and subject; with `exactly`, the same `args` as well. `args` are ids
    and plain values only. The caller has checked the actor's right; the worker checks it again.
    """
    values = {
        "id": uuid4().hex,
        "kind": kind.name,
        "area": kind.area,
        "title": title[:255],
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "queue": queue or kind.queue,
        "lane": lane,
        "idem_key": _key(kind, subject, args if exactly else None),
        "args": args,
        "requester_id": actor.user_id,
        "requester_name": actor.name,
        "created_at": now,
        "updated_at": now,
        "woken_at": now,
    }
    for _ in range(2):  # the active one may end between the insert and the look
        if _insert(session, values):
            return Submitted(job=_created(session, values, waker, now), joined=False)
        active = find_active(session, idem_key=str(values["idem_key"]))
        if active is not None:
            return Submitted(job=active, joined=True)
    raise ConflictError("This is being asked for by several people at once; try again.")


def find_active(session: Session, *, idem_key: str) -> Job | None:
    """The queued or running job with this key, None where there is none."""
    return session.scalar(
        select(Job)
        .where(Job.idem_key == idem_key, Job.state.in_(ACTIVE))
        .execution_options(populate_existing=True)
    )


def get_job(session: Session, *, kinds: Kinds, actor: Actor, job_id: str) -> Job:
    """The job with this id, or with a unique beginning of it, if `actor` may see it.

    Raises NotFoundError otherwise, so that nobody learns of jobs that are not his.
    """
    query = select(Job).where(Job.id == job_id)
    if len(job_id) < len(uuid4().hex):
        query = select(Job).where(Job.id.startswith(job_id, autoescape=True)).limit(2)
    found = session.scalars(query).all() if len(job_id) >= SHORTEST_PREFIX else []
    visible = [job for job in found if may_view(session, kinds=kinds, actor=actor, job=job)]
    if len(visible) != 1:
        raise NotFoundError(
            f"There is no job {job_id!r}; give its id or a unique beginning of at least "
            f"{SHORTEST_PREFIX} characters."
        )
    return visible[0]


def may_view(session: Session, *, kinds: Kinds, actor: Actor, job: Job) -> bool:
    """Say whether `actor` may see `job`: his own, all of them, or what its kind allows."""
    if actor.user_id is not None and job.requester_id == actor.user_id:
        return True
    if actor.may(Permission.JOBS_VIEW_ALL):
        return True
    kind = kinds.find(job.kind)
    return kind is not None and kind.may_view(session, actor, job)


def may_manage(session: Session, *, kinds: Kinds, actor: Actor, job: Job) -> bool:
    """Say whether `actor` may cancel or retry `job`: who may ask for it, and managers of all."""
    if actor.may(Permission.JOBS_MANAGE_ALL):
        return True
    kind = kinds.find(job.kind)
    return kind is not None and kind.may_run(session, actor, job.args)


def cancel(
    session: Session,
    *,
    kinds: Kinds,
    actor: Actor,
    job: Job,
    settings: Settings,
    waker: Waker,
    now: datetime,
    address: str = "",
) -> None:
    """End a queued job, or ask a running one to stop at its next safe point.

    What waited in its lane behind a queued one is woken after the commit. Raises ForbiddenError,
    and ConflictError where the job has ended.
    """
    _check_may_manage(session, kinds=kinds, actor=actor, job=job)
    if outcomes.cancel_queued(session, job.id, reason=f"It was cancelled by {actor.name}."):
        announce(session, job_id=job.id, settings=settings, now=now)
        if job.lane is not None:
            wake_lane_after_commit(session, waker, lane=job.lane)
    elif not outcomes.ask_to_stop(session, job.id):
        raise ConflictError("The job has ended already; there is nothing to cancel.")
    _record(session, "job.cancel", actor, job, now=now, address=address)
    session.refresh(job)


def retry(
    session: Session,
    *,
    kinds: Kinds,
    actor: Actor,
    job: Job,
    waker: Waker,
    now: datetime,
    address: str = "",
) -> Submitted:
    """Make a new attempt of an ended job; where an equal one is active, join that and say so.

    Raises ForbiddenError, and ConflictError where the job succeeded or is still active.
    """
    _check_may_manage(session, kinds=kinds, actor=actor, job=job)
    try:
        again = outcomes.queue_again(session, job.id)
    except IntegrityError:
        active = find_active(session, idem_key=job.idem_key)
        if active is not None:
            return Submitted(job=active, joined=True)
        again = False
    if not again:
        raise ConflictError("Only a job that failed, was cancelled or interrupted can be retried.")
    wake_after_commit(session, waker, queue=job.queue, job_id=job.id)
    _record(session, "job.retry", actor, job, now=now, address=address)
    session.refresh(job)
    return Submitted(job=job, joined=False)


def _key(kind: Kind, subject: Subject, args: dict[str, Any] | None) -> str:
    if args is None:
        return f"{kind.name}:{subject.kind}:{subject.id}"
    told = json.dumps([subject.id, args], sort_keys=True)
    return f"{kind.name}:{subject.kind}:{sha256(told.encode()).hexdigest()}"


def _insert(session: Session, values: dict[str, Any]) -> bool:
    dialect = session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    statement = insert(Job).values(**values).on_conflict_do_nothing().returning(Job.number)
    return session.execute(statement).one_or_none() is not None


def _created(session: Session, values: dict[str, Any], waker: Waker, now: datetime) -> Job:
    session.add(JobAttempt(job_id=values["id"], number=1, queued_at=now))
    session.flush()
    wake_after_commit(session, waker, queue=values["queue"], job_id=values["id"])
    return session.scalars(select(Job).where(Job.id == values["id"])).one()


def _check_may_manage(session: Session, *, kinds: Kinds, actor: Actor, job: Job) -> None:
    if not may_manage(session, kinds=kinds, actor=actor, job=job):
        raise ForbiddenError("You may see this job, but not cancel or retry it.")


def _record(
    session: Session, action: str, actor: Actor, job: Job, *, now: datetime, address: str
) -> None:
    record(
        session,
        actor=actor,
        action=action,
        object_kind="job",
        object_id=job.id,
        now=now,
        address=address,
        detail={"kind": job.kind, "title": job.title},
    )
