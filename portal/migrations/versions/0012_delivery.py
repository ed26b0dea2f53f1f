"""Delivery: endpoints, channels, and a row for each file on its way"""

import sqlalchemy as sa
from alembic import op

from portal.db import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text(
    "state IN ('sending', 'renaming', 'replacing', 'fetching', 'storing', 'stored', 'failed')"
)
_STATES = (
    "state IN ('sending', 'renaming', 'replacing', 'fetching', 'storing', 'stored', 'failed', "
    "'delivered', 'received', 'quarantined', 'uncertain', 'returned')"
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "delivery_endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("transport", sa.String(length=8), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(length=255), nullable=False),
        sa.Column("folder", sa.String(length=1024), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("encoding", sa.String(length=32), nullable=False),
        sa.Column("tls_verify", sa.Boolean(), nullable=False),
        sa.Column("tls_ca", sa.Text(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("shown_key", sa.Text(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("tested_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.CheckConstraint(
            "transport IN ('ftp', 'ftpes', 'ftps', 'sftp')",
            name=op.f("ck_delivery_endpoint_known_transport"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_endpoint")),
        sa.UniqueConstraint("name", name=op.f("uq_delivery_endpoint_name")),
    )
    op.create_table(
        "delivery_channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("spool", sa.String(length=1024), nullable=False),
        sa.Column("include", sa.Text(), nullable=False),
        sa.Column("exclude", sa.Text(), nullable=False),
        sa.Column("after_fetch", sa.String(length=8), nullable=False),
        sa.Column("done_folder", sa.String(length=255), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("blocked", sa.JSON(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("next_try_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.CheckConstraint(
            "after_fetch IN ('remove', 'move', 'keep')",
            name=op.f("ck_delivery_channel_known_after_fetch"),
        ),
        sa.CheckConstraint(
            "direction IN ('send', 'fetch')", name=op.f("ck_delivery_channel_known_direction")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["delivery_endpoint.id"],
            name=op.f("fk_delivery_channel_endpoint_id_delivery_endpoint"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_channel")),
        sa.UniqueConstraint("name", name=op.f("uq_delivery_channel_name")),
        sa.UniqueConstraint("spool", name=op.f("uq_delivery_channel_spool")),
    )
    op.create_index(
        op.f("ix_delivery_channel_endpoint_id"), "delivery_channel", ["endpoint_id"], unique=False
    )
    op.create_table(
        "delivery_file",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("identity", sa.String(length=128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("modified", UtcDateTime(), nullable=True),
        sa.Column("temporary", sa.String(length=255), nullable=False),
        sa.Column("kept_as", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            _STATES,
            name=op.f("ck_delivery_file_known_state"),
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["delivery_channel.id"],
            name=op.f("fk_delivery_file_channel_id_delivery_channel"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_file")),
    )
    op.create_index(
        op.f("ix_delivery_file_channel_id_name_id"),
        "delivery_file",
        ["channel_id", "name", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_delivery_file_channel_id_state_id"),
        "delivery_file",
        ["channel_id", "state", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_delivery_file_ended_at"), "delivery_file", ["ended_at"], unique=False)
    op.create_index(
        "uq_delivery_file_open",
        "delivery_file",
        ["channel_id", "name"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index(
        "uq_delivery_file_open",
        table_name="delivery_file",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.drop_index(op.f("ix_delivery_file_ended_at"), table_name="delivery_file")
    op.drop_index(op.f("ix_delivery_file_channel_id_state_id"), table_name="delivery_file")
    op.drop_index(op.f("ix_delivery_file_channel_id_name_id"), table_name="delivery_file")
    op.drop_table("delivery_file")
    op.drop_index(op.f("ix_delivery_channel_endpoint_id"), table_name="delivery_channel")
    op.drop_table("delivery_channel")
    op.drop_table("delivery_endpoint")
