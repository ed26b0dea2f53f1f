"""Jobs, their attempts and log lines; schedules; notifications and what is still to be sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base

Number = BigInteger().with_variant(Integer, "sqlite")


class JobState(StrEnum):
    """Where a job, or one attempt of it, stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def active(self) -> bool:
        """Whether there is still something to come."""
        return self in ACTIVE


ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING})
ENDED = frozenset(JobState) - ACTIVE
_STATES = ", ".join(f"'{state}'" for state in JobState)
_ACTIVE_SQL = "state IN ('queued', 'running')"
_RUNNING_SQL = "state = 'running'"


class Job(Base):
    """The recorded run of a task. Its state changes by conditional UPDATEs only."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="known_state"),
        Index(
            "uq_job_idem_key_active",
            "idem_key",
            unique=True,
            sqlite_where=text(_ACTIVE_SQL),
            postgresql_where=text(_ACTIVE_SQL),
        ),
        Index(
            "uq_job_lane_running",
            "lane",
            unique=True,
            sqlite_where=text(_RUNNING_SQL),
            postgresql_where=text(_RUNNING_SQL),
        ),
        Index("ix_job_state_queue_number", "state", "queue", "number"),
        Index("ix_job_state_number", "state", "number"),
        Index("ix_job_state_ended_at", "state", "ended_at"),
        Index("ix_job_requester_number", "requester_id", "number"),
        Index("ix_job_area_number", "area", "number"),
        Index("ix_job_subject", "subject_kind", "subject_id", "number"),
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    area: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(255))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(255))
    queue: Mapped[str] = mapped_column(String(128))
    lane: Mapped[str | None] = mapped_column(String(255))
    idem_key: Mapped[str] = mapped_column(String(255))
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default=JobState.QUEUED)
    attempt: Mapped[int] = mapped_column(default=1)
    crashes: Mapped[int] = mapped_column(default=0)
    token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    woken_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    requester_id: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )
    requester_name: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    progress: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class JobAttempt(Base):
    """One try at a job; its state only goes forward."""

    __tablename__ = "job_attempt"
    __table_args__ = (
        UniqueConstraint("job_id", "number"),
        CheckConstraint(f"state IN ({_STATES})", name="known_state"),
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    number: Mapped[int]
    token: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default=JobState.QUEUED)
    worker: Mapped[str] = mapped_column(String(128), default="")
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    traceback: Mapped[str] = mapped_column(Text, default="")


class JobLogLine(Base):
    """A line that a task wrote for those who watch."""

    __tablename__ = "job_log_line"
    __table_args__ = (Index(None, "job_id", "attempt", "id"),)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text)


class Schedule(Base):
    """A job that is asked for whenever a cron expression says so."""

    __tablename__ = "schedule"
    __table_args__ = (Index(None, "enabled", "next_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    title: Mapped[str] = mapped_column(String(255))
    cron: Mapped[str] = mapped_column(String(128))
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    enabled: Mapped[bool] = mapped_column(default=True)
    stopped_reason: Mapped[str] = mapped_column(Text, default="")
    next_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    last_job_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]


class Notification(Base):
    """A message in the portal for one user, about a job or about what `page` shows."""

    __tablename__ = "notification"
    __table_args__ = (Index(None, "user_id", "read_at"), Index(None, "user_id", "id"))

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    job_id: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text)
    page: Mapped[str] = mapped_column(String(255), default="", server_default="")
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Outgoing(Base):
    """An e-mail or webhook still to be sent, written with the fact that it tells."""

    __tablename__ = "outgoing"
    __table_args__ = (Index(None, "sent_at", "next_try_at"),)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(1024))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class Leadership(Base):
    """Who reconciles now. Economy only: every action of a reconciler is itself conditional."""

    __tablename__ = "leadership"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(128))
    until: Mapped[datetime]
