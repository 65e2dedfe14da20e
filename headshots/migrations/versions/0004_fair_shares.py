"""Makes high priority a right of tenants, and lets gateways see cheaply that a key was revoked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add column and index. Nobody has the right until it is granted; what is queued keeps its place in its tenant."""
    op.add_column("tenants", sa.Column("high_weight", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("ix_api_keys_revoked_at", "api_keys", ["revoked_at"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_api_keys_revoked_at", "api_keys")
    op.drop_column("tenants", "high_weight")
