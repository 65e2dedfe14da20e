"""Defines the gateway's table of how far the log of erasures was followed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from headshots.schema.common import metadata

# How far this database has followed the log of erasures, in one row; see services.gateway.erasures.marks. A restored
# database tells by it how old it is.
erasure_log_marks = Table(
    "erasure_log_marks",
    metadata,
    # Always 1.
    Column("id", Integer, primary_key=True, autoincrement=False),
    # A day by UTC, YYYY-MM-DD.
    Column("followed_until", String(10), nullable=False),
)
