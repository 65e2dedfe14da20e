"""Defines a claimed shot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headshots.acceptance.profiles import Profile
from headshots.leases import Lease
from headshots.looks.frame import Frame
from headshots.marking.rights import TenantRights
from headshots.styles.recipe import Style
from services.gateway.galleries.limits import ALONE_AFTER_LOSSES, MAX_LONE_LOSSES
from services.gateway.galleries.remix import Remix
from services.gateway.peers.models import Adapter, Failure


@dataclass(frozen=True)
class Shot:
    """A claimed shot with everything that is needed to paint it."""

    lease: Lease
    gallery_id: str
    subject_id: str
    tenant_id: str
    number: int
    seed: int
    """Of this try."""
    seed_step: int
    """What the next try adds to the seed: the number of the style's shots, so that no other shot of it has it."""
    tries: int
    """Tries that were recorded, this one not included."""
    most_tries: int
    """Those that it may have while the gallery's budget lasts."""
    budget: int
    """Tries of all shots of the gallery."""
    profile: Profile
    counted_attempts: int
    """Claims for this try so far, this one included, without the uncounted ones."""
    uncounted_attempts: int
    """Those that ended because the generator was away or full, or because the gateway drained or was lost."""
    lost_workers: int
    """Workers that were lost while they held it, in this try."""
    lone_losses: int
    """Of these, how many different ones held nothing else."""
    cancel_requested: bool
    recipe: Style
    adapter: Adapter
    class_noun: str
    image_format: int
    quality: int
    priority: int
    remix: Remix | None
    rights: TenantRights | None = None
    frame: Frame | None = None
    """What its image is cut to; None: nothing."""
    withheld: Failure | None = None
    """Why it may not be painted: the person does not agree any more."""
    ordered_at: float = 0.0
    origin: Mapping[str, str] | None = None
    """When its gallery was made, and by which call (`headshots.telemetry.origins`)."""
    starts_gallery: bool = False
    """Whether the gallery runs since this claim, which whoever watches it is told."""

    @property
    def needs_to_be_alone(self) -> bool:
        """Whether its worker may hold no other shot, so that it is known what a further loss is due to."""
        return self.lost_workers >= ALONE_AFTER_LOSSES

    @property
    def ends_workers(self) -> bool:
        """Whether so many workers were lost with it and nothing else that it must be the cause."""
        return self.lone_losses >= MAX_LONE_LOSSES
