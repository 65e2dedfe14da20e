"""Adds when the copy of a receipt was written. Of receipts that are there none was: the gateways' sweeps write them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and the index of receipts without a copy."""
    op.add_column("erasures", sa.Column("copied_at", sa.Float(), nullable=True))
    uncopied = sa.text("copied_at IS NULL AND signed_at IS NOT NULL")
    op.create_index("ix_erasures_uncopied", "erasures", ["signed_at"], sqlite_where=uncopied, postgresql_where=uncopied)


def downgrade() -> None:
    """Drop them; the copies stay where they are."""
    op.drop_index("ix_erasures_uncopied", "erasures")
    op.drop_column("erasures", "copied_at")
