"""Adds which call made what is worked off later: its request id and its place in a trace. Older rows tell of none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = ("trainings", "galleries", "shoots", "training_jobs")


def upgrade() -> None:
    """Add the column."""
    for table in _TABLES:
        op.add_column(table, sa.Column("origin", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop it; what is worked off from then on is in no call's trace."""
    for table in reversed(_TABLES):
        op.drop_column(table, "origin")
