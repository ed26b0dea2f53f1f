"""The data centre's files, moves and settings"""

import sqlalchemy as sa
from alembic import op

from portal.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SIZE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    """Go forward."""
    place = op.create_table(
        "datacenter_place",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_datacenter_place_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datacenter_place")),
    )
    op.bulk_insert(place, [{"id": 1, "path": ""}])
    op.create_table(
        "datacenter_intent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("occasion", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("touched_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datacenter_intent")),
        sa.UniqueConstraint("occasion", name=op.f("uq_datacenter_intent_occasion")),
    )
    op.create_index(
        "uq_datacenter_intent_subject_open",
        "datacenter_intent",
        ["subject"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_datacenter_intent_done_at", "datacenter_intent", ["done_at"])
    op.create_table(
        "datacenter_fact",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", _SIZE, nullable=False),
        sa.Column("mtime_ns", _SIZE, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=128), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_datacenter_fact")),
    )
    op.create_table(
        "datacenter_claim",
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_datacenter_claim")),
    )
    op.create_table(
        "datacenter_long_name",
        sa.Column("short", sa.String(length=255), nullable=False),
        sa.Column("whole", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("short", name=op.f("pk_datacenter_long_name")),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("long_name", "claim", "fact", "intent", "place"):
        op.drop_table(f"datacenter_{table}")
