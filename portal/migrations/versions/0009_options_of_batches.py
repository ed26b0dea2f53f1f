"""What else is ordered of a batch, and the state of one that was refused as a whole"""

import sqlalchemy as sa
from alembic import op

from portal.rows.upgrading import allow_states

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OLD = ("waiting", "running", "paused", "stopped", "cancelled", "done", "undoing", "undone")
_CHECK = "ck_row_batch_known_state"


def upgrade() -> None:
    """Go forward."""
    op.add_column(
        "row_batch", sa.Column("options", sa.JSON(), nullable=False, server_default=sa.text("'{}'"))
    )
    allow_states(op.get_bind(), table="row_batch", check=_CHECK, states=(*_OLD, "refused"))


def downgrade() -> None:
    """Go back."""
    op.execute("UPDATE row_batch SET state = 'stopped' WHERE state = 'refused'")
    allow_states(op.get_bind(), table="row_batch", check=_CHECK, states=_OLD)
    op.drop_column("row_batch", "options")
