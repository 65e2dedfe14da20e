"""Adds what a tenant's images say of rights. Tenants and galleries that are there say nothing, as before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("tenants", "rights_owner", sa.Text()),
    ("tenants", "usage_terms", sa.Text()),
    ("tenants", "licence", sa.Text()),
    ("galleries", "rights", sa.JSON()),
)


def upgrade() -> None:
    """Add the columns."""
    for table, name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column("tenants", sa.Column("prompts_in_images", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop them; images that are painted from then on say what the installation says."""
    op.drop_column("tenants", "prompts_in_images")
    for table, name, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
