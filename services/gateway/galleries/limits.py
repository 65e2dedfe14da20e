"""Limits the shots of a gallery: number, seeds, workers that may be lost, and which may be claimed now; defaults."""

from __future__ import annotations

import sqlalchemy as sa

from headshots.schema import galleries, shots
from services.gateway.consents.checks import lacks_consent
from services.gateway.consents.models import Purpose
from services.gateway.peers.pools.openness import Openness
from services.gateway.retention.checks import is_expired

MAX_SHOTS = 160
"""Shots of a gallery, at most."""
DEFAULT_SHOTS_PER_STYLE = 4
"""Shots of each style where the caller names no number."""
DEFAULT_CHANGE_TRIES = 4
"""Seeds for each shot that changes one thing of an image, where the caller names no number."""
TRIES_OF_OTHERS = 3
"""A shot is tried up to so many times `max_tries` from what the gallery's other shots leave."""
SEEDS = 2**32
"""Seeds are numbers below this."""
ALONE_AFTER_LOSSES = 2
"""A shot that so many workers were lost with is painted by one that holds nothing else."""
MAX_LONE_LOSSES = 2
"""A shot that so many different workers were lost with while they held nothing else is given up."""
DEFAULT_PROFILE = "profile-worthy"
"""The acceptance profile where the caller names none."""


def open_galleries(openness: Openness) -> sa.Select[tuple[str]]:
    """Ids of the galleries of foundations that are open."""
    digest = galleries.c.foundation_digest
    is_open = digest.not_in(openness.closed) if openness.others else digest.in_(openness.known - openness.closed)
    return sa.select(galleries.c.id).where(galleries.c.id == shots.c.gallery_id, is_open).correlate(shots)


def withheld_galleries(dialect: str) -> sa.Select[tuple[str]]:
    """Ids of the galleries whose shots a claim fails."""
    return sa.select(galleries.c.id).where(is_withheld(dialect))


def is_withheld(dialect: str) -> sa.ColumnElement[bool]:
    """Whether a claim fails the shots of a row of `galleries`."""
    lacks = lacks_consent(galleries.c.tenant_id, galleries.c.subject_id, Purpose.PAINTING, dialect=dialect)
    return sa.or_(is_expired(galleries.c.subject_id, dialect), lacks)
