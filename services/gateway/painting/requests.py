"""Makes requests to a generator of shots."""

from __future__ import annotations

from services.gateway.galleries.queue.shot import Shot
from services.gateway.galleries.remix import source_image
from services.gateway.peers.models import GenerationRequest, GeneratorDescription
from services.gateway.styles.requests import request_of
from services.gateway.tenants.ownership import images_prefix


def request_of_shot(shot: Shot, description: GeneratorDescription, *, preview_every: int) -> GenerationRequest:
    """What a generator of this description is asked for. Raises as `styles.requests.request_of`."""
    return request_of(
        shot.recipe,
        description,
        tenant=shot.tenant_id,
        class_noun=shot.class_noun,
        adapter=shot.adapter,
        seed=shot.seed,
        image_format=shot.image_format,
        quality=shot.quality,
        preview_every=preview_every,
        output_prefix=images_prefix(shot.tenant_id, shot.subject_id),
        priority=shot.priority,
        source=source_image(shot.remix),
        rights=shot.rights,
        frame=shot.frame,
    )
