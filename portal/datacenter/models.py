"""What the database knows of the data centre. Where a file lies, only its directory says."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base

_OPEN = "done_at IS NULL"
_Size = BigInteger().with_variant(Integer, "sqlite")


class DataCenterPlace(Base):
    """The one row that says where the storage is; an empty path means the default.

    Whoever opens an intent locks it, so that what excludes one another does.
    """

    __tablename__ = "datacenter_place"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(Text, default="")


class DataCenterIntent(Base):
    """Files that are about to move, or did. `token` rises with each process that takes it on."""

    __tablename__ = "datacenter_intent"
    __table_args__ = (
        Index(
            "uq_datacenter_intent_subject_open",
            "subject",
            unique=True,
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
        Index("ix_datacenter_intent_done_at", "done_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    occasion: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(255))
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    token: Mapped[int] = mapped_column(default=0)
    touched_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class DataCenterFact(Base):
    """What is known of a file while its size and time of change are the same: who brought it, when.

    A file without a row is as good as one with.
    """

    __tablename__ = "datacenter_fact"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    size: Mapped[int] = mapped_column(_Size)
    mtime_ns: Mapped[int] = mapped_column(_Size)
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int | None] = mapped_column(_Size)
    origin: Mapped[str] = mapped_column(String(16))
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]


class DataCenterClaim(Base):
    """A file that a job works on; nobody else takes, replaces or deletes it until the job ended."""

    __tablename__ = "datacenter_claim"

    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    job_id: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class RemovalApproval(Base):
    """A batch that would remove so many records that a second person has to approve it.

    `records` is None where nobody can count them. `by_id` (None: the system) approved it `at`; as
    long as nobody did, that is None.
    """

    __tablename__ = "removal_approval"

    batch_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    rows: Mapped[int] = mapped_column(_Size)
    records: Mapped[int | None] = mapped_column(_Size)
    asked_at: Mapped[datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(128), default="")
    at: Mapped[datetime | None]


class DataCenterLongName(Base):
    """The whole of a name's stem that is too long for the disk; written once, never changed."""

    __tablename__ = "datacenter_long_name"

    short: Mapped[str] = mapped_column(String(255), primary_key=True)
    whole: Mapped[str] = mapped_column(Text)
