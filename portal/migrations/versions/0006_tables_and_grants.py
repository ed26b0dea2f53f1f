"""Which tables may be imported to, and by whom"""

import sqlalchemy as sa
from alembic import op

from portal.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


ROLES = (
    "role IN ('admin', 'data_manager', 'import_manager', 'export_manager', 'operator', 'member')"
)
ACTIONS = "action IN ('browse', 'create', 'update', 'remove', 'export')"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "table_access",
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("table_name", sa.String(length=255), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("place", "table_name", name=op.f("pk_table_access")),
    )
    op.create_table(
        "table_grant",
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("table_name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.CheckConstraint(ROLES, name=op.f("ck_table_grant_known_role")),
        sa.CheckConstraint(ACTIONS, name=op.f("ck_table_grant_known_action")),
        sa.ForeignKeyConstraint(
            ["place", "table_name"],
            ["table_access.place", "table_access.table_name"],
            name=op.f("fk_table_grant_place_table_access"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "place", "table_name", "role", "action", name=op.f("pk_table_grant")
        ),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("table_grant")
    op.drop_table("table_access")
