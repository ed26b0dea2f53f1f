"""Who may do what with which table. It stands in Portal's own database."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.permissions import Role
from portal.db import Base
from portal.tables.actions import Action

_ROLES = ", ".join(f"'{role}'" for role in Role)
_ACTIONS = ", ".join(f"'{action}'" for action in Action)


class TableAccess(Base):
    """That an administrator decided about a table; then only its grants count.

    `place` is the tables database that it is in, so that a grant is never one for another.
    """

    __tablename__ = "table_access"

    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    table_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(128))

    grants: Mapped[list["TableGrant"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="TableGrant.role"
    )


class TableGrant(Base):
    """One thing that one role may do with a table."""

    __tablename__ = "table_grant"
    __table_args__ = (
        ForeignKeyConstraint(
            ["place", "table_name"],
            ["table_access.place", "table_access.table_name"],
            ondelete="CASCADE",
        ),
        CheckConstraint(f"role IN ({_ROLES})", name="known_role"),
        CheckConstraint(f"action IN ({_ACTIONS})", name="known_action"),
    )

    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    table_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    action: Mapped[str] = mapped_column(String(16), primary_key=True)
