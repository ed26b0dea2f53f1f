"""Audit rows: written once, sealed into a chain of hashes soon after, never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base

_Number = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Base):
    """Who did what, on what, when, from where; `number`, `previous`, `digest` come by sealing."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "actor_name", "id"), Index(None, "object_kind", "object_id"))

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    number: Mapped[int | None] = mapped_column(_Number, unique=True)
    previous: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str | None] = mapped_column(String(64))
