"""Removals of many records wait until a second person approves them"""

import sqlalchemy as sa
from alembic import op

from portal.db import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SIZE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "removal_approval",
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("rows", _SIZE, nullable=False),
        sa.Column("records", _SIZE, nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=128), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_removal_approval")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("removal_approval")
