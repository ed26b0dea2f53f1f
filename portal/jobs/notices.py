"""Who is told that a job ended: its requester in the portal, and whom the settings name outside.

All is written in the transaction that ends the job; sending is a matter of its own and never fails
the job. Other rooms tell by `tell` what is no job's end.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.jobs.models import Job, JobState, Notification, Outgoing, Schedule
from portal.settings import Settings

EMAIL = "email"
WEBHOOK = "webhook"
STOPPED = "stopped"
_JOB = cast("Table", Job.__table__)
_FACTS = select(
    _JOB.c.id,
    _JOB.c.kind,
    _JOB.c.title,
    _JOB.c.state,
    _JOB.c.reason,
    _JOB.c.requester_id,
    _JOB.c.requester_name,
)
_WORDS = {
    JobState.SUCCEEDED: "is done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.INTERRUPTED: "was interrupted",
}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that a user must know and that is no job's end; `page` shows what it is about.

    Without an `event` no webhook is told of it.
    """

    user_id: int
    state: str
    message: str
    page: str
    event: str


def announce(session: Session, *, job_id: str, settings: Settings, now: datetime) -> None:
    """Record for everyone concerned that the job ended; it must have ended in this session."""
    job = find_announcement(session, job_id)
    if job is None:
        return
    message = sentence(title=job.title, state=JobState(job.state), reason=job.reason)
    if job.requester_id is not None:
        session.add(
            Notification(
                user_id=job.requester_id,
                job_id=job.id,
                state=job.state,
                message=message,
                created_at=now,
            )
        )
    if job.requester_id is not None and settings.smtp_url:
        _mail(session, job.requester_id, about={"job": job.id}, message=message, now=now)
    for url in settings.webhook_urls:
        payload = _event(job, message=message, now=now)
        session.add(_outgoing(WEBHOOK, url, payload, now=now))
    session.flush()


def tell_stopped(session: Session, *, schedule: Schedule, now: datetime) -> None:
    """Tell the owner of a schedule that it stopped by itself, and why."""
    session.add(
        Notification(
            user_id=schedule.owner_id,
            state=STOPPED,
            page="/schedules",
            message=f"The schedule “{schedule.title}” stopped: {schedule.stopped_reason}",
            created_at=now,
        )
    )
    session.flush()


def tell(session: Session, *, notice: Notice, settings: Settings, now: datetime) -> None:
    """Record a notice for its reader in the portal, and for whom the settings name outside."""
    session.add(
        Notification(
            user_id=notice.user_id,
            state=notice.state,
            message=notice.message,
            page=notice.page,
            created_at=now,
        )
    )
    about = {"page": notice.page, "mark": uuid4().hex}
    if settings.smtp_url:
        _mail(session, notice.user_id, about=about, message=notice.message, now=now)
    for url in settings.webhook_urls if notice.event else ():
        payload = {
            "event": notice.event,
            "message": notice.message,
            "page": notice.page,
            "at": now.isoformat(),
        }
        session.add(_outgoing(WEBHOOK, url, payload, now=now))
    session.flush()


def find_announcement(session: Session, job_id: str) -> Any:
    """What is told of a job, None where there is none."""
    return session.execute(_FACTS.where(_JOB.c.id == job_id)).one_or_none()


def sentence(*, title: str, state: JobState, reason: str) -> str:
    """What became of a job, in one sentence."""
    ended = f"{title} {_WORDS[state]}"
    return f"{ended}: {reason}" if reason else f"{ended}."


def _mail(
    session: Session, user_id: int, *, about: dict[str, str], message: str, now: datetime
) -> None:
    address = session.scalar(select(User.email).where(User.id == user_id))
    if address:
        payload = {"subject": message.splitlines()[0][:200], "text": message, **about}
        session.add(_outgoing(EMAIL, address, payload, now=now))


def _event(job: Any, *, message: str, now: datetime) -> dict[str, Any]:
    return {
        "event": f"job.{job.state}",
        "job": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "requester": job.requester_name,
        "message": message,
        "at": now.isoformat(),
    }


def _outgoing(channel: str, target: str, payload: dict[str, Any], *, now: datetime) -> Outgoing:
    return Outgoing(
        channel=channel, target=target, payload=payload, next_try_at=now, created_at=now
    )
