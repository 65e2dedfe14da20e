"""Makes requests to a generator of styles."""

from __future__ import annotations

from typing import Any

from headshots.styles.prompts import compose_prompt
from headshots.styles.recipe import Style
from services.gateway.peers.models import Adapter, GenerationRequest, GeneratorDescription


def request_of(
    style: Style,
    description: GeneratorDescription,
    *,
    tenant: str,
    class_noun: str,
    adapter: Adapter | None,
    **how: Any,
) -> GenerationRequest:
    """What a generator of this description is asked for one person in one style; `how` are further fields.

    A style without a negative prompt takes the foundation's.

    Raises:
        InvalidArgumentError: PROMPT_TEMPLATE_INVALID.
    """
    trigger = (adapter.trigger if adapter is not None else "") or description.trigger
    return GenerationRequest(
        tenant=tenant,
        adapter=adapter,
        prompt=compose_prompt(description.prompt_template, style, trigger=trigger, class_noun=class_noun),
        negative_prompt=style.negative_prompt or description.negative_prompt,
        guidance_scale=style.guidance_scale,
        guidance_interval=style.guidance_interval,
        steps=style.steps,
        width_px=style.width_px,
        height_px=style.height_px,
        **how,
    )
