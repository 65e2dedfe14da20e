"""Creates the table of what goes before its subject. What is there is kept as long as its subject, as before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("tenants", "photo_retention_seconds", sa.Integer()),
    ("tenants", "adapter_retention_seconds", sa.Integer()),
    ("tenants", "image_retention_seconds", sa.Integer()),
    ("retentions", "own_photo_seconds", sa.Integer()),
    ("retentions", "photos_expire_at", sa.Float()),
    ("photos", "expires_at", sa.Float()),
    ("trainings", "adapter_expires_at", sa.Float()),
    ("galleries", "images_expire_at", sa.Float()),
)


def upgrade() -> None:
    """Create the table and the columns."""
    for table, name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "terms",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_expires_at", sa.Float(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_terms_subject_id_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
    )
    op.create_index("ix_terms_expires_at_id", "terms", ["expires_at", "id"])
    op.create_index("ix_terms_subject_id", "terms", ["subject_id"])
    op.create_index("ix_retentions_tenant_id_expires_at_id", "retentions", ["tenant_id", "expires_at", "id"])


def downgrade() -> None:
    """Drop them; what would have gone earlier stays as long as its subject."""
    op.drop_index("ix_retentions_tenant_id_expires_at_id", "retentions")
    op.drop_table("terms")
    for table, name, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
