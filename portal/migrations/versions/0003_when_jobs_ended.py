"""What ended lately is counted by an index: the dashboard must not read every job there ever was"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index("ix_job_state_ended_at", "job", ["state", "ended_at"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_job_state_ended_at", table_name="job")
