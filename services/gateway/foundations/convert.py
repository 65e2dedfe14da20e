"""Converts descriptions of generators to the foundations that they run."""

from __future__ import annotations

from headshots.v1 import foundations_pb2
from services.gateway.api import names
from services.gateway.peers.models import GeneratorDescription


def foundation(value: GeneratorDescription) -> foundations_pb2.Foundation:
    """The foundation of a generator."""
    return foundations_pb2.Foundation(
        name=names.foundation_name(value.foundation_digest),
        display_name=value.foundation,
        native_width_px=value.native_width_px,
        native_height_px=value.native_height_px,
        min_width_px=value.width_range_px[0],
        max_width_px=value.width_range_px[1],
        min_height_px=value.height_range_px[0],
        max_height_px=value.height_range_px[1],
        size_multiple_px=value.size_multiple_px,
        steps=value.steps,
        guidance_scale=value.adapter_guidance_scale,
        prompt_template=value.prompt_template,
        class_nouns=value.class_nouns,
        vocabulary=value.vocabulary,
        window_tokens=value.window_tokens,
        max_rank=value.max_rank,
        negative_prompt=value.negative_prompt,
    )
