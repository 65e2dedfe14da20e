"""Creates the tables of looks and teams, and what images of galleries are cut to: of older ones nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the column."""
    op.add_column("galleries", sa.Column("frame", sa.JSON(), nullable=True))
    _create_looks()
    _create_teams()
    _create_members()


def _create_looks() -> None:
    op.create_table(
        "looks",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("look", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("request_parameters", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("archived_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_looks_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("tenant_id", "name", "version", name=op.f("pk_looks")),
        sa.UniqueConstraint("tenant_id", "request_id", name=op.f("uq_looks_tenant_id_request_id")),
    )
    op.create_index("ix_looks_tenant_id_external_id", "looks", ["tenant_id", "external_id"])


def _create_teams() -> None:
    op.create_table(
        "teams",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("request_parameters", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("look", sa.JSON(), nullable=False),
        sa.Column("recipes", sa.JSON(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("last_member", sa.Integer(), nullable=False),
        sa.Column("failure_reason", sa.String(length=64), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("origin", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_teams_tenant_id_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("tenant_id", "request_id", name=op.f("uq_teams_tenant_id_request_id")),
    )
    op.create_index("ix_teams_state", "teams", ["state"])
    op.create_index("ix_teams_tenant_id_external_id", "teams", ["tenant_id", "external_id"])


def _create_members() -> None:
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("may_train", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("shoot_id", sa.String(length=64), nullable=True),
        sa.Column("shoot_revision", sa.Integer(), nullable=False),
        sa.Column("portraits", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("failure_reason", sa.String(length=64), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("joined_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id_teams")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_team_members_subject_id_subjects")),
        sa.PrimaryKeyConstraint("team_id", "subject_id", name=op.f("pk_team_members")),
        sa.UniqueConstraint("team_id", "number", name=op.f("uq_team_members_team_id_number")),
    )
    op.create_index("ix_team_members_subject_id", "team_members", ["subject_id"])
    op.create_index("ix_team_members_shoot_id", "team_members", ["shoot_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("team_members")
    op.drop_table("teams")
    op.drop_table("looks")
    op.drop_column("galleries", "frame")
