"""Defines the tables. Services share the database; each owns its tables, in a module of its name.

Times are seconds since the epoch by the database's clock; JSON columns hold plain objects.
"""

from __future__ import annotations

from headshots.schema.audit import audit_chains, audit_events
from headshots.schema.catalog import looks, packs, pools, profiles, styles
from headshots.schema.common import (
    CANCELLED,
    DEFAULT_HIGH_LIMIT,
    DEFAULT_RETENTION_SECONDS,
    FAILED,
    HIGH_PRIORITY,
    MAIN_POOL,
    MAX_RETENTION_SECONDS,
    MIN_RETENTION_SECONDS,
    NO_HIGH_WEIGHT,
    PENDING,
    RUNNING,
    SUCCEEDED,
    TERMINAL_STATES,
    metadata,
)
from headshots.schema.consents import consents
from headshots.schema.erasure_log import erasure_log_marks
from headshots.schema.erasures import commitments, erasure_chains, erasure_keys, erasures
from headshots.schema.gateway import (
    api_keys,
    galleries,
    photos,
    shots,
    subjects,
    tenants,
    training_events,
    trainings,
)
from headshots.schema.marks import marks
from headshots.schema.retention import retentions, terms
from headshots.schema.shoots import shoot_events, shoots
from headshots.schema.teams import team_members, teams
from headshots.schema.trainer import training_jobs

__all__ = [
    "CANCELLED",
    "DEFAULT_HIGH_LIMIT",
    "DEFAULT_RETENTION_SECONDS",
    "FAILED",
    "HIGH_PRIORITY",
    "MAIN_POOL",
    "MAX_RETENTION_SECONDS",
    "MIN_RETENTION_SECONDS",
    "NO_HIGH_WEIGHT",
    "PENDING",
    "RUNNING",
    "SUCCEEDED",
    "TERMINAL_STATES",
    "api_keys",
    "audit_chains",
    "audit_events",
    "commitments",
    "consents",
    "erasure_chains",
    "erasure_keys",
    "erasure_log_marks",
    "erasures",
    "galleries",
    "looks",
    "marks",
    "metadata",
    "packs",
    "photos",
    "pools",
    "profiles",
    "retentions",
    "shoot_events",
    "shoots",
    "shots",
    "styles",
    "subjects",
    "team_members",
    "teams",
    "tenants",
    "terms",
    "training_events",
    "training_jobs",
    "trainings",
]
