"""The data centre's watch rules; messages name the page of what they are about"""

import sqlalchemy as sa
from alembic import op

from portal.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SIZE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "datacenter_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(length=255), nullable=False),
        sa.Column("processor", sa.String(length=255), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("profile", sa.String(length=128), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("stopped_reason", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("expected", sa.String(length=128), nullable=False),
        sa.Column("grace_minutes", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("last_file", sa.Text(), nullable=False),
        sa.Column("last_job_id", sa.String(length=32), nullable=True),
        sa.Column("alarm_at", UtcDateTime(), nullable=True),
        sa.Column("alarm", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["user_account.id"],
            name=op.f("fk_datacenter_rule_owner_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datacenter_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_datacenter_rule_name")),
    )
    op.create_table(
        "datacenter_rule_attempt",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", _SIZE, nullable=False),
        sa.Column("mtime_ns", _SIZE, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["datacenter_rule.id"],
            name=op.f("fk_datacenter_rule_attempt_rule_id_datacenter_rule"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_datacenter_rule_attempt")),
    )
    page = sa.Column("page", sa.String(length=255), nullable=False, server_default="")
    op.add_column("notification", page)
    op.execute("UPDATE notification SET page = '/schedules' WHERE job_id IS NULL")


def downgrade() -> None:
    """Go back."""
    op.drop_column("notification", "page")
    op.drop_table("datacenter_rule_attempt")
    op.drop_table("datacenter_rule")
