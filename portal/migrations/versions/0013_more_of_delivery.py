"""Delivery: several connections, limits, active mode; order, rules for what was fetched"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ADDED = {
    "delivery_endpoint": ("connections", "rate_limit", "active"),
    "delivery_channel": ("ordered", "intake", "intake_target", "intake_user_id", "told"),
    "delivery_file": ("intake",),
}


def upgrade() -> None:
    """Go forward."""
    one = sa.text("1")
    op.add_column(
        "delivery_endpoint",
        sa.Column("connections", sa.Integer(), nullable=False, server_default=one),
    )
    op.add_column("delivery_endpoint", sa.Column("rate_limit", sa.BigInteger(), nullable=True))
    op.add_column("delivery_endpoint", _truth("active"))
    op.add_column("delivery_channel", _truth("ordered"))
    op.add_column("delivery_channel", _word("intake", 32))
    op.add_column("delivery_channel", _word("intake_target", 255))
    op.add_column("delivery_channel", sa.Column("intake_user_id", sa.Integer(), nullable=True))
    op.add_column("delivery_channel", _word("told", 16))
    op.add_column("delivery_file", _word("intake", 8))


def downgrade() -> None:
    """Go back."""
    for table, columns in _ADDED.items():
        for column in columns:
            op.drop_column(table, column)


def _truth(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _word(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")
