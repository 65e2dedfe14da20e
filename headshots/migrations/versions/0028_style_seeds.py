"""Adds whether the styles of a gallery have seeds of their own. In older galleries all styles have the same ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("galleries", sa.Column("style_seeds", sa.String(8), nullable=False, server_default="same"))


def downgrade() -> None:
    """Drop it: shots keep their seeds, but no call tells why styles differ in them."""
    op.drop_column("galleries", "style_seeds")
