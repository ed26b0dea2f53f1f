"""Mappings say how cells are treated too, and every change of one is a version of it"""

import sqlalchemy as sa
from alembic import op

from portal.db import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEPT = "version, fingerprint, columns, treatment, saved_by, saved_at"


def upgrade() -> None:
    """Go forward; each mapping's first version is what it says today."""
    op.add_column(
        "mapping_profile",
        sa.Column("treatment", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    )
    op.add_column(
        "mapping_profile",
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
    )
    op.create_table(
        "mapping_profile_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("treatment", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=128), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["mapping_profile.id"],
            name=op.f("fk_mapping_profile_version_profile_id_mapping_profile"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_profile_version")),
        sa.UniqueConstraint(
            "profile_id", "version", name=op.f("uq_mapping_profile_version_profile_id_version")
        ),
    )
    op.execute(
        f"INSERT INTO mapping_profile_version (profile_id, {_KEPT}) "  # noqa: S608 - names of our own
        f"SELECT id, {_KEPT} FROM mapping_profile"
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("mapping_profile_version")
    op.drop_column("mapping_profile", "version")
    op.drop_column("mapping_profile", "treatment")
