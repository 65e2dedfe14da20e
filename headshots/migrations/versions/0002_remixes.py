"""Adds to galleries the image that they are remixed from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Galleries made before have none."""
    op.add_column("galleries", sa.Column("remix", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Galleries forget what they were painted over."""
    op.drop_column("galleries", "remix")
