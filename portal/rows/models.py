"""The ledger of the portal's own records, and mapping profiles."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base
from portal.rows.schema import ledger_tables

PORTAL_LEDGER = ledger_tables(Base.metadata, batch="row_batch", row="row_entry", kept="row_kept")


class MappingProfile(Base):
    """Which column becomes which field, kept for files with the same header."""

    __tablename__ = "mapping_profile"
    __table_args__ = (Index(None, "fingerprint", "processor", "mode"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    processor: Mapped[str] = mapped_column(String(255))
    mode: Mapped[str] = mapped_column(String(16))
    fingerprint: Mapped[str] = mapped_column(String(64))
    columns: Mapped[list[str | None]] = mapped_column(JSON)
    treatment: Mapped[dict[str, Any]] = mapped_column(JSON, server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    saved_by: Mapped[str] = mapped_column(String(128))
    saved_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class MappingProfileVersion(Base):
    """A mapping as it stood once; the newest version is what the profile itself says."""

    __tablename__ = "mapping_profile_version"
    __table_args__ = (UniqueConstraint("profile_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("mapping_profile.id", ondelete="CASCADE"))
    version: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64))
    columns: Mapped[list[str | None]] = mapped_column(JSON)
    treatment: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_by: Mapped[str] = mapped_column(String(128))
    saved_at: Mapped[datetime]
