"""Endpoints, channels, and the ledger with a row for each file on its way."""

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
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.delivery.addresses import Transport
from portal.delivery.states import OPEN, AfterFetch, Direction, FileState

Number = BigInteger().with_variant(Integer, "sqlite")


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


_OPEN_SQL = f"state IN ({', '.join(repr(str(state)) for state in OPEN)})"


class Endpoint(Base):
    """A server with its credentials.

    `secret` is the encrypted password or private key. `host_key` is the SFTP server's key that was
    approved, `shown_key` the one it showed last. `profile` is what the last test found out.
    `connections` is how many there are at most at once, `rate_limit` how many bytes a second all of
    a run's send or fetch together, `active` that the server makes the connections for data.
    """

    __tablename__ = "delivery_endpoint"
    __table_args__ = (CheckConstraint(_one_of("transport", Transport), name="known_transport"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    transport: Mapped[str] = mapped_column(String(8))
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    user_name: Mapped[str] = mapped_column(String(255), default="")
    folder: Mapped[str] = mapped_column(String(1024), default="/")
    secret: Mapped[str] = mapped_column(Text, default="")
    connections: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    rate_limit: Mapped[int | None] = mapped_column(BigInteger)
    active: Mapped[bool] = mapped_column(default=False, server_default=false())
    encoding: Mapped[str] = mapped_column(String(32), default="utf-8")
    tls_verify: Mapped[bool] = mapped_column(default=True)
    tls_ca: Mapped[str] = mapped_column(Text, default="")
    host_key: Mapped[str] = mapped_column(Text, default="")
    shown_key: Mapped[str] = mapped_column(Text, default="")
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    tested_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(128))


class Channel(Base):
    """A spool bound to an endpoint and a direction.

    `lock_id` is the lock on the server that a run of this channel has or was about to make;
    `blocked` says whose lock the last run met. `failures` counts runs that failed in a row, and
    `told` is what operators were told of. `ordered`: one file after the other. Fetched files are
    handed to `intake`, for `intake_target`, by the right of a user.
    """

    __tablename__ = "delivery_channel"
    __table_args__ = (
        CheckConstraint(_one_of("direction", Direction), name="known_direction"),
        CheckConstraint(_one_of("after_fetch", AfterFetch), name="known_after_fetch"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("delivery_endpoint.id", ondelete="RESTRICT"), index=True
    )
    direction: Mapped[str] = mapped_column(String(8))
    spool: Mapped[str] = mapped_column(String(1024), unique=True)
    include: Mapped[str] = mapped_column(Text, default="")
    exclude: Mapped[str] = mapped_column(Text, default="")
    after_fetch: Mapped[str] = mapped_column(String(8), default=AfterFetch.REMOVE)
    done_folder: Mapped[str] = mapped_column(String(255), default="")
    keep_days: Mapped[int | None]
    ordered: Mapped[bool] = mapped_column(default=False, server_default=false())
    intake: Mapped[str] = mapped_column(String(32), default="", server_default="")
    intake_target: Mapped[str] = mapped_column(String(255), default="", server_default="")
    intake_user_id: Mapped[int | None]
    paused: Mapped[bool] = mapped_column(default=False)
    lock_id: Mapped[str] = mapped_column(String(64), default="")
    blocked: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    failures: Mapped[int] = mapped_column(default=0)
    incident: Mapped[str] = mapped_column(Text, default="")
    told: Mapped[str] = mapped_column(String(16), default="", server_default="")
    next_try_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(128))

    endpoint: Mapped[Endpoint] = relationship(lazy="joined", innerjoin=True)


class DeliveredFile(Base):
    """A file on its way: a row of the ledger, committed before each step.

    `identity` tells a file of the spool from a later one with its name. `temporary` is what it is
    called on its way, `kept_as` its name where it was put in the end. `intake` says how far the
    handing over of a fetched file is.
    """

    __tablename__ = "delivery_file"
    __table_args__ = (
        CheckConstraint(_one_of("state", FileState), name="known_state"),
        Index(
            "uq_delivery_file_open",
            "channel_id",
            "name",
            unique=True,
            sqlite_where=text(_OPEN_SQL),
            postgresql_where=text(_OPEN_SQL),
        ),
        Index(None, "channel_id", "state", "id"),
        Index(None, "channel_id", "name", "id"),
        Index(None, "ended_at"),
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("delivery_channel.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(String(32))
    token: Mapped[int]
    tries: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(255))
    identity: Mapped[str] = mapped_column(String(128), default="")
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    modified: Mapped[datetime | None]
    temporary: Mapped[str] = mapped_column(String(255), default="")
    kept_as: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(16))
    intake: Mapped[str] = mapped_column(String(8), default="", server_default="")
    reason: Mapped[str] = mapped_column(String(16), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
