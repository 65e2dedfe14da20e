"""Adds to galleries the image that they are painted over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; galleries made before have no such image."""
    op.add_column("galleries", sa.Column("remix", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("galleries", "remix")
