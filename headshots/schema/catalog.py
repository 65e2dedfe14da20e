"""Defines the gateway's tables of what orders are made of: the tenants' own styles, profiles, packs and looks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from headshots.schema.common import labelling_columns, metadata, request_columns

# Versions of the tenants' own styles, each as headshots.styles.recipe.Style writes itself; built-in ones are files.
styles = Table(
    "styles",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("style", sa.JSON, nullable=False),
    *request_columns(),
    *labelling_columns(),
    # Of all versions: new galleries refuse the style since then. A request_id is of the first version alone.
    Column("archived_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_styles_tenant_id_external_id", "tenant_id", "external_id"),
)

# Versions of the tenants' own acceptance profiles, each as headshots.acceptance.profiles.Profile writes itself; the
# built-in ones are code.
profiles = Table(
    "profiles",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("profile", sa.JSON, nullable=False),
    # Of the first version alone.
    *request_columns(),
    *labelling_columns(),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_profiles_tenant_id_external_id", "tenant_id", "external_id"),
)

# Versions of the tenants' own packs, each as headshots.styles.packs.Pack writes itself; built-in ones are files.
packs = Table(
    "packs",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("pack", sa.JSON, nullable=False),
    # Of the first version alone.
    *request_columns(),
    *labelling_columns(),
    # Of all versions: new shoots refuse the pack since then.
    Column("archived_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_packs_tenant_id_external_id", "tenant_id", "external_id"),
)

# Versions of the tenants' looks, each as headshots.looks.look.Look writes itself; none is built in.
looks = Table(
    "looks",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("look", sa.JSON, nullable=False),
    # Of the first version alone.
    *request_columns(),
    *labelling_columns(),
    # Of all versions: new teams refuse the look since then.
    Column("archived_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant_id", "request_id"),
    Index("ix_looks_tenant_id_external_id", "tenant_id", "external_id"),
)

# What pools of generators said last that they run. Only gateways that serve several pools write it.
pools = Table(
    "pools",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("foundation_digest", String(64), nullable=False),
    # The description, so that a gateway that starts while the pool is at zero knows what it runs.
    Column("description", sa.JSON, nullable=False),
    # When it last answered one of the gateways.
    Column("answered_at", Float, nullable=False),
)
