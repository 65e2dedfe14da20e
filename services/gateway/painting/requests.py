"""Makes requests to a generator of shots."""

from __future__ import annotations

from services.gateway.galleries.queue.shot import Shot
from services.gateway.peers.models import GenerationRequest, GeneratorDescription, SourceImage
from services.gateway.styles.requests import request_of
from services.gateway.tenants.ownership import images_prefix

# Under a mask the person stays by their pixels. Guidance that leads away from everybody else would only make it harder
# for the words: nine in ten backdrops followed them so, and all of 96 with a share of 1.
_MASKED_SHARE = 1.0


def request_of_shot(
    shot: Shot, description: GeneratorDescription, source: SourceImage | None, *, preview_every: int
) -> GenerationRequest:
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
        source=source,
        rights=shot.rights,
        # What is painted over as a whole has its cut already.
        frame=None if source is not None and source.whole else shot.frame,
        negative_adapter_share=_MASKED_SHARE if source is not None and source.mask else None,
    )
