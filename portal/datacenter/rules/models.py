"""Rules for files that arrive, and which files were tried by one."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base

_Size = BigInteger().with_variant(Integer, "sqlite")


class WatchRule(Base):
    """Files whose name fits `pattern` are processed, as the rule's owner.

    `enabled` is what people set; `stopped_reason` is set where the rule stopped by itself. With
    `expected` (a cron expression) a file must be taken between one deadline and the next: `due_at`
    is the time of the next one, `since` is when the last one was looked at.
    """

    __tablename__ = "datacenter_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    place: Mapped[int]
    pattern: Mapped[str] = mapped_column(String(255))
    processor: Mapped[str] = mapped_column(String(255))
    mode: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(16))
    profile: Mapped[str] = mapped_column(String(128), default="")
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    enabled: Mapped[bool] = mapped_column(default=True)
    stopped_reason: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int] = mapped_column(default=1)
    expected: Mapped[str] = mapped_column(String(128), default="")
    grace_minutes: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    since: Mapped[datetime]
    last_at: Mapped[datetime | None]
    last_file: Mapped[str] = mapped_column(Text, default="")
    last_job_id: Mapped[str | None] = mapped_column(String(32))
    alarm_at: Mapped[datetime | None]
    alarm: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]

    @property
    def state(self) -> str:
        """`on`, `off`, or `stopped` where it stopped by itself."""
        if not self.enabled:
            return "off"
        return "stopped" if self.stopped_reason else "on"


class WatchAttempt(Base):
    """A waiting file that a rule tried, so that no rule tries the very same one again.

    Without a `job_id` it could not be asked for; `fault` says why. The row goes with the file.
    """

    __tablename__ = "datacenter_rule_attempt"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    size: Mapped[int] = mapped_column(_Size)
    mtime_ns: Mapped[int] = mapped_column(_Size)
    number: Mapped[int]
    rule_id: Mapped[int] = mapped_column(ForeignKey("datacenter_rule.id", ondelete="CASCADE"))
    job_id: Mapped[str | None] = mapped_column(String(32))
    fault: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
