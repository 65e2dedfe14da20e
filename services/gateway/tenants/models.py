"""Defines a tenant as a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Tenant:
    """A customer."""

    id: str
    display_name: str
    created_at: float
    """Seconds since the epoch."""
    consent_required: bool
    """Whether its subjects have to consent before they are trained and painted."""
    retention_seconds: int
    """How long its subjects are kept after their last delivery."""
    photo_retention_seconds: int | None = None
    """How long photos are kept after a delivery, 0: they go with it; None: as long as their subject."""
    adapter_retention_seconds: int | None = None
    """How long adapters are kept after they are delivered; None: as long as their subject."""
    image_retention_seconds: int | None = None
    """How long images are kept after their gallery has ended; None: as long as their subject."""
    rights_owner: str | None = None
    """Who owns its images; None, as of the next two: what the installation says."""
    usage_terms: str | None = None
    """What may be done with them."""
    licence: str | None = None
    """Their licence, a web page's address or a text; empty: none."""
    prompts_in_images: bool = False
    """Whether they say the prompts that they were painted from."""


PolicyChange = Mapping[str, int | str | None]
"""Fields of a tenant as they shall be: how long what is kept, and what images say of rights; None: the default."""
POLICY_FIELDS = (
    "retention_seconds",
    "photo_retention_seconds",
    "adapter_retention_seconds",
    "image_retention_seconds",
    "rights_owner",
    "usage_terms",
    "licence",
    "prompts_in_images",
)
