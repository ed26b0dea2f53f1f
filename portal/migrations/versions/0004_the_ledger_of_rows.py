"""Batches, their rows' fates and mapping profiles"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "mapping_profile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("processor", sa.String(length=255), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=128), nullable=False),
        sa.Column("saved_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_profile")),
        sa.UniqueConstraint("name", name=op.f("uq_mapping_profile_name")),
    )
    with op.batch_alter_table("mapping_profile", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mapping_profile_fingerprint_processor_mode"),
            ["fingerprint", "processor", "mode"],
            unique=False,
        )

    op.create_table(
        "row_batch",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("processor", sa.String(length=255), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("store", sa.String(length=16), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("file_path", sa.String(length=4096), nullable=False),
        sa.Column("file_name", sa.String(length=1024), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_row", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("blank", sa.Integer(), nullable=False),
        sa.Column("retry_rows", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("retry_next", sa.BigInteger(), nullable=False),
        sa.Column("backup_bytes", sa.BigInteger(), nullable=False),
        sa.Column("undo_next", sa.BigInteger(), nullable=True),
        sa.Column("undone", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("pause_asked", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=128), nullable=False),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("forgotten_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'paused', 'stopped', 'cancelled', 'done', "
            "'undoing', 'undone')",
            name=op.f("ck_row_batch_known_state"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_row_batch")),
        sa.UniqueConstraint("id", name=op.f("uq_row_batch_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("row_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_row_batch_job_id"), ["job_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_row_batch_kind_created_at"), ["kind", "created_at"], unique=False
        )

    op.create_table(
        "row_entry",
        sa.Column("batch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_row", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cells", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("edited", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("errors", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after_hash", sa.LargeBinary(), nullable=True),
        sa.Column("skip_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('created', 'updated', 'unchanged', 'removed', 'skipped', "
            "'failed', 'blank')",
            name=op.f("ck_row_entry_known_outcome"),
        ),
        sa.CheckConstraint("first_row <= last_row", name=op.f("ck_row_entry_in_order")),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["row_batch.number"],
            name=op.f("fk_row_entry_batch_row_batch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("batch", "first_row", name=op.f("pk_row_entry")),
    )
    with op.batch_alter_table("row_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_row_entry_batch_outcome_first_row"),
            ["batch", "outcome", "first_row"],
            unique=False,
        )

    op.create_table(
        "row_kept",
        sa.Column("batch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("image", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["row_batch.number"],
            name=op.f("fk_row_kept_batch_row_batch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("batch", "row_number", name=op.f("pk_row_kept")),
    )


def downgrade() -> None:
    """Go back."""

    op.drop_table("row_kept")
    with op.batch_alter_table("row_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_row_entry_batch_outcome_first_row"))

    op.drop_table("row_entry")
    with op.batch_alter_table("row_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_row_batch_kind_created_at"))
        batch_op.drop_index(batch_op.f("ix_row_batch_job_id"))

    op.drop_table("row_batch")
    with op.batch_alter_table("mapping_profile", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mapping_profile_fingerprint_processor_mode"))

    op.drop_table("mapping_profile")
