"""Adds pools: which one trains, which foundation a gallery needs, and what pools said last that they run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLES = ("trainings", "galleries", "training_jobs")
_FROM_ADAPTER = {
    "sqlite": "json_extract(adapter, '$.foundation_digest')",
    "postgresql": "adapter->>'foundation_digest'",
}


def upgrade() -> None:
    """Add the columns and the table. Trainings are of the one pool that there was; galleries of their adapters'."""
    op.add_column("trainings", sa.Column("pool", sa.String(40), nullable=False, server_default="main"))
    for table in _TABLES:
        op.add_column(table, sa.Column("foundation_digest", sa.String(64), nullable=False, server_default=""))
    digest = _FROM_ADAPTER[op.get_bind().dialect.name]
    op.execute(f"UPDATE galleries SET foundation_digest = COALESCE({digest}, '')")
    op.create_table(
        "pools",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("foundation_digest", sa.String(length=64), nullable=False),
        sa.Column("description", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pools")),
    )


def downgrade() -> None:
    """Drop them. Trainings that wait for another pool's trainers go to the one pool that is left."""
    op.drop_table("pools")
    for table in reversed(_TABLES):
        op.drop_column(table, "foundation_digest")
    op.drop_column("trainings", "pool")
